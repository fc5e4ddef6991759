import type { Clock } from '../../core/clock.ts';
import { DecodeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Signaling } from '../../core/signaling.ts';
import {
  type ClientId,
  createRendezvousEngine,
  decodeClientFrame,
  type EngineAction,
  encodeFrame,
} from '../../protocol/rendezvous/index.ts';
import { createCarrier } from '../../streams/carrier.ts';
import { END, readPayload } from './nats-payload.ts';
import { createToken, hostSubject, inboxSubject, isToken, leafOf } from './nats-subjects.ts';
import type { NatsFailure, NatsMessage, NatsWire } from './nats-wire.ts';

/**
 * The listener's end: the rendezvous engine of `sallyport serve`, which every listener runs for its own key. NATS
 * carries the frames of its clients, the dialers; the listener itself is a client within the process. So all bounds of
 * the server hold here.
 */
export interface NatsHost {
  /** The listener's own client. */
  readonly signaling: Signaling;
  /** What the engine says to a new client. */
  readonly hello: string;
  /** A message of a dialer. */
  receive(message: NatsMessage): void;
  online(): void;
  offline(failure: NatsFailure): void;
  /** The listener's client is told that another has its key. */
  replace(): void;
  /** Forgets dialers that have not shown for long that they live. */
  sweep(): void;
  /** Tells the dialers. */
  close(): void;
}

export interface NatsHostOptions {
  readonly name: string;
  readonly wire: NatsWire;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Every engine's name towards its clients; no host can be called so (RFC 6761 section 6.4). The one registration that
 * is signed for it is the listener's own, and never leaves the process.
 */
export const HOST_NAME = 'nats.invalid';

interface Dialer {
  readonly id: ClientId;
  readonly token: string;
  heardAt: number;
}

export function createNatsHost({ name, wire, clock, random, log }: NatsHostOptions): NatsHost {
  const engine = createRendezvousEngine({ random, stun: [], relay: true });
  const token = createToken(random);
  const dialers = new Map<string, Dialer>();
  const tokens = new Map<ClientId, string>();
  let lastId: ClientId = 0;
  /** The listener's own client. */
  let own: ClientId = 0;
  let hello = '';
  let unsubscribe = (): void => {};
  let closed = false;

  const carrier = createCarrier({
    name,
    host: '',
    server: HOST_NAME,
    transport: 'nats',
    random,
    log,
    disconnect() {
      closed = true;
      perform(engine.disconnect(own, clock.now()));
    },
  });

  function enter(): void {
    own = ++lastId;
    for (const action of engine.connect(own, clock.now(), { name: HOST_NAME })) {
      if (action.type === 'send') hello = action.frame;
    }
  }

  function open(): void {
    const send = (frame: string | Uint8Array): void => perform(engine.receive(own, frame, clock.now()));
    carrier.opened({ send, queued: wire.queued });
    carrier.receive(hello);
  }

  function perform(actions: readonly EngineAction[]): void {
    for (const action of actions) {
      // NATS gives no way to read less from one client.
      if (action.type === 'hold') continue;
      if (action.client === own) performHere(action);
      else performThere(action);
    }
  }

  /** Not at once: the carrier may be in the middle of sending. */
  function performHere(action: Performable): void {
    queueMicrotask(() => {
      if (closed) return;
      if (action.type !== 'close') {
        carrier.receive(action.frame);
        return;
      }
      log('nats.cut-off', { reason: action.reason });
      carrier.offline({ code: 'ERR_SERVER_REFUSED', reason: action.reason, retryIn: 0 });
      enter();
      open();
    });
  }

  function performThere(action: Performable): void {
    const to = tokens.get(action.client);
    if (to === undefined) return;
    // Where nobody is subscribed any more, the server says so on the dialer's way to here.
    wire.publish(inboxSubject(to, 'frame'), action.type === 'close' ? END : action.frame, hostSubject(token, to));
    if (action.type === 'close') drop(to);
  }

  function meet(dialer: string): Dialer {
    const met = { id: ++lastId, token: dialer, heardAt: clock.now() };
    dialers.set(dialer, met);
    tokens.set(met.id, dialer);
    // Its hello is known beforehand.
    const [answer] = engine.connect(met.id, clock.now(), { name: HOST_NAME });
    if (answer?.type === 'close') perform([answer]);
    return met;
  }

  function drop(dialer: string): ClientId | undefined {
    const id = dialers.get(dialer)?.id;
    dialers.delete(dialer);
    if (id !== undefined) tokens.delete(id);
    return id;
  }

  function forget(dialer: string, silent: boolean): void {
    const id = drop(dialer);
    if (id !== undefined) perform(engine.disconnect(id, clock.now(), silent));
  }

  function receive({ subject, payload, isUnheard }: NatsMessage): void {
    const from = leafOf(subject);
    if (!isToken(from)) return;
    const read = readPayload(payload);
    const known = dialers.get(from);
    if (known !== undefined) known.heardAt = clock.now();
    if (isUnheard || read?.type === 'end') forget(from, isUnheard);
    // Whoever holds a key has an engine of its own to register it at.
    if (isUnheard || read?.type !== 'frame' || isRegistration(read.frame)) return;
    perform(engine.receive((known ?? meet(from)).id, read.frame, clock.now()));
  }

  enter();

  return {
    signaling: carrier.signaling,
    get hello() {
      return hello;
    },
    receive,
    online() {
      unsubscribe();
      unsubscribe = wire.subscribe(hostSubject(token, '*'), receive);
      open();
    },
    offline: (failure) => carrier.offline({ ...failure, retryIn: undefined }),
    replace: () => void carrier.receive(encodeFrame({ type: 'replaced' })),
    sweep() {
      for (const { token: dialer, heardAt } of [...dialers.values()]) {
        if (clock.now() - heardAt > DIALER_PATIENCE) forget(dialer, true);
      }
    },
    close: carrier.signaling.close,
  };
}

/** What cannot be read is for the engine to count. */
function isRegistration(frame: string | Uint8Array): boolean {
  if (typeof frame !== 'string') return false;
  try {
    return decodeClientFrame(frame).type === 'register';
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** ms without a sign of life; dialers ping every 30 s. */
const DIALER_PATIENCE = 75_000;

type Performable = Exclude<EngineAction, { readonly type: 'hold' }>;
