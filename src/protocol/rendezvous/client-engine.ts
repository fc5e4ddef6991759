import { byteKey } from '../../core/byte-key.ts';
import type { Random } from '../../core/random.ts';
import { parseServerName } from '../../core/server-url.ts';
import type { ContactLookup, OutgoingOffer, Registration, SignalingEvent } from '../../core/signaling.ts';
import { registrationProof } from './registration-proof.ts';
import { decodeRelayFrame } from './relay-frame.ts';
import { type ClientFrame, decodeServerFrame, encodeFrame, type HelloFrame, MAX_STANDING_ENVELOPE } from './wire.ts';

/**
 * A rendezvous client without its connection: what it says when the connection opens, answers, and remembers from one
 * connection to the next. Every method gives the frames to send now, in order.
 */
export interface RendezvousClient {
  /** The connection stands: offers made meanwhile are sent, the server's hello is awaited. */
  opened(): readonly string[];
  closed(): void;
  /** Throws `DecodeError` for a frame to be dropped, `ERR_VERSION` for a server that cannot be talked to. */
  receive(frame: string | Uint8Array): ReceivedFrame;
  register(registration: Registration): Registering;
  /** Asks now or never: unlike an offer, a question does not wait for a connection. */
  lookup(request: ContactLookup): readonly string[];
  /** While there is no connection the last offer of each session is kept, of at most 256 sessions. */
  offer(offer: OutgoingOffer): readonly string[];
  /** `undefined` without a connection. */
  send(session: Uint8Array, envelope: Uint8Array): string | undefined;
  leave(session: Uint8Array): readonly string[];
}

/** What there is to send for a registration, now or with the next hello, or why there is nothing. */
export interface Registering {
  readonly frames: readonly string[];
  /**
   * `ERR_SERVER_REFUSED`: the server does not know itself by the name that it was dialled by. A signature for the name
   * that it gives might be worth something at another server, the one of that name.
   */
  readonly refusal?: SignalingEvent;
}

/** What a frame of the server was; `hello` comes with the registration that it calls for. */
export type ReceivedFrame =
  | { readonly type: 'hello'; readonly hello: HelloFrame; readonly registering: Registering }
  | { readonly type: 'event'; readonly event: SignalingEvent }
  | { readonly type: 'datagram'; readonly session: Uint8Array; readonly datagram: Uint8Array }
  /** A binary frame of a kind unknown here. */
  | { readonly type: 'unknown' };

export interface RendezvousClientOptions {
  readonly random: Random;
  /** `host[:port]` that the server was dialled by, as `parseServerName` writes it. */
  readonly server: string;
}

export function createRendezvousClient({ random, server }: RendezvousClientOptions): RendezvousClient {
  /** Shown with every offer: what makes the sessions ours on the next connection too. */
  const caller = random.bytes(16);
  const waiting = new Map<string, OutgoingOffer>();
  let isOpen = false;
  let hello: HelloFrame | undefined;
  let registration: Registration | undefined;

  const offerFrame = (offer: OutgoingOffer): string => encode({ type: 'offer', ...offer, caller });

  function registering(): Registering {
    if (registration === undefined || hello === undefined) return { frames: [] };
    if (parseServerName(hello.name) !== server) return { frames: [], refusal: refuseName(hello.name, server) };
    const { key, since, contact, sign } = registration;
    const standing = registration.standing
      .filter(({ envelope }) => envelope.length <= MAX_STANDING_ENVELOPE)
      .slice(0, hello.limits.standing);
    const signature = sign(registrationProof(hello.name, hello.challenge));
    return { frames: [encode({ type: 'register', key, signature, since, ...(contact && { contact }), standing })] };
  }

  function receiveControl(text: string): ReceivedFrame {
    const frame = decodeServerFrame(text);
    if (frame.type === 'hello') {
      hello = frame;
      return { type: 'hello', hello, registering: registering() };
    }
    if (frame.type === 'replaced') registration = undefined;
    return { type: 'event', event: frame };
  }

  return {
    opened() {
      isOpen = true;
      const frames = [...waiting.values()].map(offerFrame);
      waiting.clear();
      return frames;
    },
    closed() {
      isOpen = false;
      hello = undefined;
    },
    receive(frame) {
      if (typeof frame === 'string') return receiveControl(frame);
      const parts = decodeRelayFrame(frame);
      return parts === undefined ? { type: 'unknown' } : { type: 'datagram', ...parts };
    },
    register(next) {
      registration = next;
      return registering();
    },
    lookup: (request) => (isOpen ? [encode({ type: 'lookup', ...request })] : []),
    offer(offer) {
      if (isOpen) return [offerFrame(offer)];
      if (waiting.size < MAX_WAITING) waiting.set(byteKey(offer.session), offer);
      return [];
    },
    send: (session, envelope) => (isOpen ? encode({ type: 'envelope', session, envelope }) : undefined),
    leave(session) {
      waiting.delete(byteKey(session));
      return isOpen ? [encode({ type: 'leave', session })] : [];
    },
  };
}

function refuseName(name: string, server: string): SignalingEvent {
  const message = `the server calls itself ${name}, not ${server} as it was dialled: start it with --name ${server}`;
  return { type: 'error', code: 'ERR_SERVER_REFUSED', message: message.slice(0, 300) };
}

function encode(frame: ClientFrame): string {
  return encodeFrame(frame);
}

const MAX_WAITING = 256;
