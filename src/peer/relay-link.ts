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
    unavailable(reason: string): void;
  };
}

/** The relayed path of a connection: that of the first carrier that relays, and another's when it is lost. */
export interface RelayLink {
  /** Relays may be used from now on. */
  open(): void;
  /** Relays must not be used any more, or ever. */
  forbid(reason: string): void;
  bound(carrier: Signaling): void;
  unbound(carrier: Signaling, reason: string): void;
  /** No relay is opened any more; the path is its table's to close. */
  close(): void;
}

export function createRelayLink({ session, bound, on }: RelayLinkOptions): RelayLink {
  let wanted = false;
  let forbidden = false;
  let open: { readonly path: Path; readonly carrier: Signaling } | undefined;

  const tryCarrier = (carrier: Signaling): void => {
    if (!wanted || forbidden || open !== undefined) return;
    const path = carrier.relay(session);
    if (path === undefined) {
      on.unavailable(`${carrier.name} relays no datagrams`);
      return;
    }
    open = { path, carrier };
    path.datagrams$.subscribe({
      complete: () => replace(carrier, 'the relay ended'),
    });
    on.opened(path);
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
    for (const other of bound()) if (other !== failed) tryCarrier(other);
  };

  return {
    open() {
      wanted = true;
      for (const carrier of bound()) tryCarrier(carrier);
    },
    forbid(reason) {
      forbidden = true;
      lose(reason);
      on.unavailable(reason);
    },
    bound: tryCarrier,
    unbound: replace,
    close() {
      wanted = false;
      open = undefined;
    },
  };
}
