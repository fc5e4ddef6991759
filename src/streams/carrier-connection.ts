import type { Clock } from '../core/clock.ts';
import { asTraversalError, type ErrorCode } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { CarrierLink } from './carrier.ts';
import { createKeepalive } from './keepalive.ts';

/** A WebSocket to a rendezvous server, as an adapter opens it: it is connecting when it is given. */
export interface CarrierSocket {
  send(frame: string | Uint8Array): void;
  /** Bytes given to `send` that have not left this process yet. */
  queued(): number;
  ping(): void;
  /** Tells the server, and is over within a second; before it is open, at once. */
  close(): void;
  /** Ends it at once. */
  terminate(): void;
}

/** What becomes of it; nothing of this is called before the socket was given. */
export interface CarrierSocketEvents {
  readonly onOpen: () => void;
  readonly onFrame: (frame: string | Uint8Array) => void;
  readonly onPong: () => void;
  /** It is over, whoever ended it; comes once and last. */
  readonly onEnd: (failure: CarrierFailure) => void;
}

export interface CarrierFailure {
  readonly code: ErrorCode;
  /** One line for people. */
  readonly reason: string;
}

export type OpenCarrierSocket = (events: CarrierSocketEvents) => CarrierSocket;

export interface CarrierConnectionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly open: OpenCarrierSocket;
  readonly onOpen: (link: CarrierLink) => void;
  /** Throwing ends the connection with that error. */
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** Called once, unless the connection was ended from here. */
  readonly onEnd: (failure: CarrierFailure) => void;
}

/** One connection to a rendezvous server, from dialling to its end, kept alive; gives the function that ends it from here. */
export function openCarrierConnection(options: CarrierConnectionOptions): () => void {
  const { clock, random, open, onOpen, onFrame, onEnd } = options;
  let failure: CarrierFailure | undefined;
  let ended = false;

  function fail(code: ErrorCode, reason: string): void {
    failure ??= { code, reason };
    socket.terminate();
  }

  const keepalive = createKeepalive({
    clock,
    random,
    ping: () => socket.ping(),
    onSilence: (reason) => fail('ERR_SERVER_UNREACHABLE', reason),
  });
  const socket = open({
    onOpen: () => onOpen({ send: (frame) => socket.send(frame), queued: () => socket.queued() }),
    onFrame(frame) {
      if (ended || failure !== undefined) return;
      keepalive.message();
      try {
        onFrame(frame);
      } catch (error) {
        const { code, message } = asTraversalError(error, 'ERR_PROTOCOL');
        fail(code, message);
      }
    },
    onPong: () => keepalive.pong(),
    onEnd(described) {
      keepalive.stop();
      if (!ended) onEnd(failure ?? described);
    },
  });

  return () => {
    ended = true;
    keepalive.stop();
    socket.close();
  };
}

/** What the end of a WebSocket means by its close code (RFC 6455 section 7.4.1, and the IANA registry of those). */
export function closeFailure(code: number, reason: string): CarrierFailure {
  if (code === CLOSE_TRY_AGAIN_LATER || code === CLOSE_POLICY_VIOLATION) return { code: 'ERR_SERVER_REFUSED', reason };
  return { code: 'ERR_SERVER_UNREACHABLE', reason: reason === '' ? `the connection ended (${code})` : reason };
}

const CLOSE_POLICY_VIOLATION = 1008;
const CLOSE_TRY_AGAIN_LATER = 1013;
