import type { Observable } from 'rxjs';
import { toHex } from '../../core/hex.ts';
import type { Log } from '../../core/log.ts';
import type { Path } from '../../core/path.ts';
import type { Random } from '../../core/random.ts';
import type { ContactLookup, OutgoingOffer, SignalingEvent } from '../../core/signaling.ts';
import { encodeFrame } from '../../protocol/rendezvous/index.ts';
import { createCarrier } from '../../streams/carrier.ts';
import { HOST_NAME } from './nats-host.ts';
import { ALIVE, END, readPayload } from './nats-payload.ts';
import { createToken, inboxSubject, isHostSubject, keySubject, leafOf } from './nats-subjects.ts';
import type { NatsFailure, NatsMessage, NatsWire } from './nats-wire.ts';

/** The dialer's end: a client of the rendezvous engine that runs with the holder of one key. */
export interface NatsLink {
  readonly events$: Observable<SignalingEvent>;
  /** No session is asked or offered here any more. */
  readonly isIdle: boolean;
  lookup(request: ContactLookup): void;
  offer(offer: OutgoingOffer): void;
  send(session: Uint8Array, envelope: Uint8Array): boolean;
  relay(session: Uint8Array): Path | undefined;
  leave(session: Uint8Array): void;
  online(): void;
  offline(failure: NatsFailure): void;
  /** Shows the holder that this end lives, and finds out whether the holder does. */
  ping(): void;
  /** The account may not reach the subject; false when it is none of this link's. */
  refuse(subject: string, message: string): boolean;
  close(): void;
}

export interface NatsLinkOptions {
  /** The listener's. */
  readonly key: Uint8Array;
  readonly name: string;
  readonly wire: NatsWire;
  readonly random: Random;
  readonly log: Log;
  /** What the engine of every holder would say at first: all are alike, so nobody waits for it. */
  readonly hello: string;
}

/** A session until its holder has been heard in it, and after. */
type Progress = 'asking' | 'offered' | 'joined' | 'missed';

export function createNatsLink({ key, name, wire, random, log, hello }: NatsLinkOptions): NatsLink {
  const sessions = new Map<string, { readonly session: Uint8Array; progress: Progress }>();
  let token = createToken(random);
  /** Subject of the holder that has answered. */
  let holder: string | undefined;
  let unsubscribe = (): void => {};

  const carrier = createCarrier({
    name,
    host: '',
    server: HOST_NAME,
    transport: 'nats',
    random,
    log,
    disconnect() {
      wire.publish(holder ?? keySubject(key, token), END);
      unsubscribe();
    },
  });
  const { signaling } = carrier;

  signaling.events$.subscribe((event) => {
    if (event.type === 'standing' || event.type === 'envelope') note(event.session, 'joined');
  });

  function note(session: Uint8Array, progress: Progress): void {
    const known = sessions.get(toHex(session));
    if (known !== undefined) known.progress = progress;
    else sessions.set(toHex(session), { session, progress });
  }

  /** To whoever holds the key now. */
  function sendToKey(frame: string): void {
    wire.publish(keySubject(key, token), frame, inboxSubject(token, 'key'));
  }

  function send(frame: string | Uint8Array): void {
    const [to, what] = holder === undefined ? [keySubject(key, token), 'key' as const] : [holder, 'host' as const];
    // Datagrams are lost without a word, as on any path.
    wire.publish(to, frame, typeof frame === 'string' ? inboxSubject(token, what) : undefined);
  }

  function receive({ subject, payload, reply, isUnheard }: NatsMessage): void {
    const read = readPayload(payload);
    if (isUnheard) miss(leafOf(subject) === 'host');
    else if (leafOf(subject) === 'frame' && read?.type === 'end') miss(true);
    if (leafOf(subject) !== 'frame' || read?.type !== 'frame') return;
    if (reply !== undefined && isHostSubject(reply, token)) holder = reply;
    carrier.receive(read.frame);
  }

  /** Nobody is there: the holder that had answered, or any holder of the key. */
  function miss(isHolder: boolean): void {
    if (isHolder) holder = undefined;
    for (const known of [...sessions.values()]) {
      const { session, progress } = known;
      if (progress === 'missed' || (progress === 'joined') !== isHolder) continue;
      known.progress = 'missed';
      if (progress === 'asking') tell({ type: 'contact', session });
      else tell({ type: 'unreachable', session, reason: isHolder ? 'silent' : 'unknown' });
    }
  }

  /** Says in the holder's place what a server would. */
  function tell(event: SignalingEvent): void {
    carrier.receive(encodeFrame(event));
  }

  return {
    events$: signaling.events$,
    get isIdle() {
      return sessions.size === 0;
    },
    lookup(request) {
      note(request.session, 'asking');
      signaling.lookup(request);
    },
    offer(offer) {
      note(offer.session, 'offered');
      signaling.offer(offer);
    },
    send: signaling.send,
    relay: signaling.relay,
    leave(session) {
      sessions.delete(toHex(session));
      signaling.leave(session);
    },
    online() {
      unsubscribe();
      token = createToken(random);
      holder = undefined;
      unsubscribe = wire.subscribe(inboxSubject(token, '*'), receive);
      carrier.opened({ send, request: sendToKey, queued: wire.queued });
      carrier.receive(hello);
    },
    offline: (failure) => carrier.offline({ ...failure, retryIn: undefined }),
    ping() {
      if (holder !== undefined) wire.publish(holder, ALIVE, inboxSubject(token, 'host'));
    },
    refuse(subject, message) {
      const own = [keySubject(key, token), inboxSubject(token, '*'), ...(holder === undefined ? [] : [holder])];
      if (!own.includes(subject)) return false;
      for (const { session } of [...sessions.values()]) {
        tell({ type: 'error', code: 'ERR_SERVER_REFUSED', message, session });
      }
      return true;
    },
    close: signaling.close,
  };
}
