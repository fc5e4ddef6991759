import { Subject } from 'rxjs';
import type { Path, PathInfo } from '../core/path.ts';

/** The near end of a relayed path: the path as its user sees it, and what the carrier tells it. */
export interface RelayPath {
  readonly path: Path;
  /** A datagram has come in. */
  deliver(datagram: Uint8Array): void;
  /** The carrier has lost the session: nothing comes in or goes out any more. */
  end(): void;
}

export interface RelayPathOptions {
  readonly info: PathInfo;
  /** False when the datagram cannot be taken now. */
  readonly transmit: (datagram: Uint8Array) => boolean;
  /** Called once, however the path ended. */
  readonly onEnd: () => void;
}

export function createRelayPath({ info, transmit, onEnd }: RelayPathOptions): RelayPath {
  const datagrams = new Subject<Uint8Array>();
  let ended = false;

  function end(): void {
    if (ended) return;
    ended = true;
    onEnd();
    datagrams.complete();
  }

  return {
    path: {
      info,
      send: (bytes) => !ended && transmit(bytes),
      datagrams$: datagrams.asObservable(),
      close: end,
    },
    deliver: (datagram) => datagrams.next(datagram),
    end,
  };
}
