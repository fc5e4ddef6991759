import { asTraversalError } from '../core/errors.ts';
import type { Session } from '../core/session.ts';
import type { Send } from './runtime-contract.ts';
import type { SessionLink } from './session-link.ts';

export interface SessionOpeningOptions {
  readonly link: SessionLink;
  /** Raw Ed25519 key that the other side must prove; absent while it is not known. */
  readonly expectedKey: Uint8Array | undefined;
  readonly send: Send;
  /** The other side has proven its key. */
  readonly onEstablished: () => void;
}

/** The beginning of a connection's session, from the first packets to the proof of both keys. */
export interface SessionOpening {
  /** Fulfils with the session once it has been made; it may not be established yet. */
  readonly secured: Promise<Session>;
  /** The other side has proven its key. */
  isEstablished(): boolean;
  /** Makes the session once; gives a client's first flight while no path stands that could carry it. */
  open(): readonly Uint8Array[];
  /** Tells the chart from now on what becomes of the session. */
  follow(): void;
}

export function createSessionOpening(options: SessionOpeningOptions): SessionOpening {
  const { link, expectedKey, send, onEstablished } = options;
  let resolveSecured: (session: Session) => void = () => {};
  const secured = new Promise<Session>((resolve) => {
    resolveSecured = resolve;
  });
  let isEstablished = false;

  const fail = (error: unknown): void => {
    const { code, message } = asTraversalError(error, 'ERR_SESSION_HANDSHAKE');
    send({ type: 'session.failed', code, message });
  };

  return {
    secured,
    isEstablished: () => isEstablished,
    open() {
      if (expectedKey === undefined || link.session !== undefined) return [];
      try {
        const captured = link.open(expectedKey);
        if (link.session !== undefined) resolveSecured(link.session);
        return captured;
      } catch (error) {
        fail(error);
        return [];
      }
    },
    follow() {
      secured.then((made) => {
        made.established.then(() => {
          isEstablished = true;
          send({ type: 'session.established' });
          onEstablished();
          made.closed.then((end) => send({ type: 'session.ended', ...end }));
        }, fail);
      });
    },
  };
}
