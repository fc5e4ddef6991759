import { Deferred } from '../core/deferred.ts';
import { TraversalError } from '../core/errors.ts';
import type { Path } from '../core/path.ts';
import type { Signaling } from '../core/signaling.ts';

export interface RelayLinkOptions {
  /** 16 bytes. */
  readonly session: Uint8Array;
  /** The carriers over which the other side can be reached. */
  readonly bound: () => readonly Signaling[];
  readonly on: {
    opened(path: Path): void;
    lost(pathId: string, reason: string): void;
  };
}

/** The relayed path of a connection: that of the first carrier that relays, and another's when it is lost. */
export interface RelayLink {
  /**
   * Relays may be used from now on, also those of carriers that come later. The id of the first path that stands. Errors:
   * `ERR_NOT_AVAILABLE` as soon as a carrier relays nothing or relays are forbidden, `ERR_ABORTED` when the link was closed.
   */
  open(): Promise<string>;
  /** Relays must not be used any more, or ever. */
  forbid(reason: string): void;
  bound(carrier: Signaling): void;
  unbound(carrier: Signaling, reason: string): void;
  /** No relay is opened any more; the path is its table's to close. */
  close(): void;
}

export function createRelayLink({ session, bound, on }: RelayLinkOptions): RelayLink {
  let wanted = false;
  let forbidden: string | undefined;
  let open: { readonly path: Path; readonly carrier: Signaling } | undefined;
  let waiting: Deferred<string> | undefined;

  /** Gives why there is no path, where that is known. */
  const tryCarrier = (carrier: Signaling): string | undefined => {
    if (!wanted || forbidden !== undefined || open !== undefined) return forbidden;
    const path = carrier.relay(session);
    if (path === undefined) return `${carrier.name} relays no datagrams`;
    open = { path, carrier };
    path.datagrams$.subscribe({
      complete: () => replace(carrier, 'the relay ended'),
    });
    on.opened(path);
    return undefined;
  };

  const tryAll = (carriers: readonly Signaling[]): void => {
    let refusal = forbidden;
    for (const carrier of carriers) refusal = tryCarrier(carrier) ?? refusal;
    if (open !== undefined) waiting?.resolve(open.path.info.id);
    else if (refusal !== undefined) waiting?.reject(new TraversalError('ERR_NOT_AVAILABLE', refusal));
    else return;
    waiting = undefined;
  };

  const lose = (reason: string): void => {
    if (open === undefined) return;
    const { id } = open.path.info;
    open = undefined;
    on.lost(id, reason);
  };

  /** Another carrier's relay for the one of a carrier that has failed. */
  const replace = (failed: Signaling, reason: string): void => {
    if (open?.carrier !== failed) return;
    lose(reason);
    tryAll(bound().filter((other) => other !== failed));
  };

  return {
    open() {
      wanted = true;
      waiting ??= new Deferred();
      const { promise } = waiting;
      tryAll(bound());
      return promise;
    },
    forbid(reason) {
      forbidden = reason;
      lose(reason);
      tryAll([]);
    },
    bound: (carrier) => tryAll([carrier]),
    unbound: replace,
    close() {
      wanted = false;
      open = undefined;
      waiting?.reject(new TraversalError('ERR_ABORTED', 'the connection has ended'));
      waiting = undefined;
    },
  };
}
