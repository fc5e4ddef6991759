import type { Clock } from '../../core/clock.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Signaling } from '../../core/signaling.ts';
import { createRendezvousEngine, type EngineAction, type RendezvousCounters } from '../../protocol/rendezvous/index.ts';
import { type Carrier, createCarrier } from '../../streams/carrier.ts';

export interface MemoryRendezvousOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * ms that a frame takes between a client and the server, one way; 0 when absent. Frames never overtake each other.
   */
  readonly latency?: number;
  /** `host:port` of STUN servers to be named; none when absent. */
  readonly stun?: readonly string[];
  readonly log?: Log;
}

/** A rendezvous server within the process: the engine of `sallyport serve`, with frames handed over on the clock. */
export interface MemoryRendezvous {
  /** A new client of it, connected at once. */
  signaling(): Signaling;
  /** Ends every connection and forgets everything; clients stay offline until {@link MemoryRendezvous.start}. */
  stop(): void;
  /** A fresh server; every client that was not closed connects again. */
  start(): void;
  counters(): RendezvousCounters;
}

export function memoryRendezvous(options: MemoryRendezvousOptions): MemoryRendezvous {
  const { clock, random, latency = 0, stun = [], log = silentLog } = options;
  const carriers = new Set<Carrier>();
  /** Clients of the running server, by connection. */
  const connections = new Map<number, Carrier>();
  let engine = createEngine();
  let running = true;
  let lastConnection = 0;

  function createEngine() {
    return createRendezvousEngine({ random, stun, relay: true });
  }

  /** Lets a frame arrive, unless its connection has ended meanwhile. */
  function cross(connection: number, arrive: () => void): void {
    clock.setTimeout(() => {
      if (connections.has(connection)) arrive();
    }, latency);
  }

  function perform(actions: readonly EngineAction[]): void {
    for (const action of actions) {
      const carrier = connections.get(action.client);
      if (carrier === undefined) continue;
      if (action.type === 'close') drop(action.client, carrier, action.reason);
      // What a frame takes within the process is for `latency` to say: nothing is held back.
      else if (action.type !== 'hold') cross(action.client, () => carrier.receive(action.frame));
    }
  }

  function connect(carrier: Carrier): void {
    const connection = ++lastConnection;
    connections.set(connection, carrier);
    carrier.connecting(1);
    cross(connection, () => {
      let underWay = 0;
      carrier.opened({
        send(frame) {
          underWay += frame.length;
          cross(connection, () => {
            underWay -= frame.length;
            perform(engine.receive(connection, frame, clock.now()));
          });
        },
        queued: () => Math.max(0, underWay - UNDER_WAY),
      });
      perform(engine.connect(connection, clock.now(), { name: NAME }));
    });
  }

  function drop(connection: number, carrier: Carrier, reason: string): void {
    connections.delete(connection);
    // It comes back as soon as the server does.
    carrier.offline({ code: 'ERR_SERVER_UNREACHABLE', reason, retryIn: 0 });
  }

  /** The client closed: its last frames still arrive, then the server sees the end. */
  function disconnect(carrier: Carrier): void {
    carriers.delete(carrier);
    for (const [connection, connected] of connections) {
      if (connected !== carrier) continue;
      cross(connection, () => {
        connections.delete(connection);
        perform(engine.disconnect(connection, clock.now()));
      });
    }
  }

  return {
    signaling() {
      const carrier = createCarrier({
        name: NAME,
        host: '',
        server: NAME,
        random,
        log,
        disconnect: () => disconnect(carrier),
      });
      carriers.add(carrier);
      if (running) connect(carrier);
      else carrier.offline({ code: 'ERR_SERVER_UNREACHABLE', reason: STOPPED, retryIn: 0 });
      return carrier.signaling;
    },
    stop() {
      running = false;
      for (const [connection, carrier] of [...connections]) drop(connection, carrier, STOPPED);
    },
    start() {
      if (running) return;
      running = true;
      engine = createEngine();
      for (const carrier of carriers) connect(carrier);
    },
    counters: () => engine.counters(),
  };
}

const NAME = 'memory';
/** Bytes that may be on the way from a client to the server; datagrams that come on top of them are dropped. */
const UNDER_WAY = 2 ** 20;
const STOPPED = 'the server has stopped';
