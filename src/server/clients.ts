import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { EngineAction, RendezvousEngine, ServerLimits } from '../protocol/rendezvous/index.ts';
import { type ClientSocket, createClientSocket } from './client-socket.ts';
import type { ClientCounters, Offence } from './counters.ts';
import type { Arrival } from './http-front.ts';
import type { SharedMemory } from './message-watch.ts';

/** The connected clients: joins their WebSockets to the engine. */
export interface Clients {
  /** `name`: this server's, as the client dialled it. */
  add(arrival: Arrival, name: string): void;
  counters(): ClientCounters;
  /** Tells every client that the server is stopping. */
  close(): void;
}

export interface ClientsOptions {
  readonly engine: RendezvousEngine;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly log: Log;
}

export function createClients({ engine, clock, limits, log }: ClientsOptions): Clients {
  const sockets = new Map<number, ClientSocket>();
  const memory: SharedMemory = { queued: 0, begun: 0 };
  const slow = { slowDatagrams: 0, slowClients: 0 };
  const offences: Record<Offence, number> = { frames: 0, pings: 0, message: 0 };
  let lastClient = 0;

  function perform(actions: readonly EngineAction[]): void {
    for (const action of actions) {
      const socket = sockets.get(action.client);
      if (socket === undefined) continue;
      if (action.type === 'close') socket.cutOff(action.code, action.reason);
      else if (action.type === 'hold') socket.hold();
      else if (action.type === 'relay') {
        if (!socket.sendDatagram(action.frame)) slow.slowDatagrams++;
      } else if (!socket.sendControl(action.frame)) {
        sockets.delete(action.client);
        slow.slowClients++;
      }
    }
  }

  let timer: TimerHandle = clock.setTimeout(probe, PROBE_INTERVAL);
  function probe(): void {
    for (const socket of sockets.values()) socket.probe();
    timer = clock.setTimeout(probe, PROBE_INTERVAL);
  }

  return {
    add({ socket, stream, source }, name) {
      const id = ++lastClient;
      const client = createClientSocket({
        socket,
        stream,
        clock,
        limits,
        memory,
        log,
        onFrame: (frame) => perform(engine.receive(id, frame, clock.now())),
        onOffence(offence) {
          offences[offence]++;
          log('server.offence', { client: id, offence });
        },
        onClose(silent) {
          sockets.delete(id);
          perform(engine.disconnect(id, clock.now(), silent));
        },
      });
      sockets.set(id, client);
      perform(engine.connect(id, clock.now(), { name, source }));
    },
    counters: () => ({
      ...engine.counters(),
      ...slow,
      queuedBytes: memory.queued,
      begunBytes: memory.begun,
      offences: { ...offences },
    }),
    close() {
      clock.clearTimeout(timer);
      for (const socket of sockets.values()) socket.close(CLOSE_GOING_AWAY, 'the server is stopping');
    },
  };
}

/** How often clients are asked for a sign of life, in ms. */
const PROBE_INTERVAL = 30_000;
/** RFC 6455 section 7.4.1. */
const CLOSE_GOING_AWAY = 1001;
