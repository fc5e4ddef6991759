import { type Observable, Subject } from 'rxjs';
import type { Endpoint } from '../core/endpoint.ts';
import { DecodeError } from '../core/errors.ts';
import type { ByteSocket } from '../core/network.ts';
import { createFrameDecoder, frameDatagram, MAX_FRAMED } from '../protocol/framing/frame.ts';

/** Datagrams over a TCP connection, each in a frame of RFC 4571. */
export interface FramedSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** False when the datagram was dropped: longer than 1,500 bytes, closed, or 64 KiB already wait to be written. */
  send(datagram: Uint8Array): boolean;
  /** The same for a STUN message, which may use 4 KiB more: a full queue must not make a path that works look dead. */
  sendCheck(datagram: Uint8Array): boolean;
  /**
   * Hot; a datagram is valid during the call only. Completes when either side has closed the connection; errors with
   * `ERR_DECODE` when it carried what is no frame, and as `ByteSocket.read` does.
   */
  readonly datagrams$: Observable<Uint8Array>;
  close(): void;
}

/**
 * QUIC above takes a drop for congestion and slows down, so the newest datagram is dropped rather than queued behind
 * more than this: bytes, 50 ms at 10 Mbit/s.
 */
const MAX_QUEUED = 64 * 1024;
/** Bytes beyond, for STUN messages. */
const CHECK_RESERVE = 4 * 1024;

/** The connection belongs to the framed socket from now on. */
export function createFramedSocket(socket: ByteSocket): FramedSocket {
  const datagrams = new Subject<Uint8Array>();
  const decoder = createFrameDecoder();
  let open = true;

  /** A reader of `datagrams$` may close the socket in between. */
  const receive = (chunk: Uint8Array): void => {
    for (const datagram of decoder.decode(chunk)) if (open) datagrams.next(datagram);
  };

  const end = (settle: () => void): void => {
    if (!open) return;
    open = false;
    socket.destroy();
    settle();
  };

  const send = (datagram: Uint8Array, limit: number): boolean => {
    if (!open || datagram.length > MAX_FRAMED || socket.queued + datagram.length > limit) return false;
    // What breaks a write breaks the reading too, which tells of it.
    socket.write(frameDatagram(datagram)).catch(() => {});
    return true;
  };

  socket.bytes$.subscribe({
    next(chunk) {
      try {
        receive(chunk);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        end(() => datagrams.error(error));
      }
    },
    error: (error) => end(() => datagrams.error(error)),
    complete: () => end(() => datagrams.complete()),
  });

  return {
    local: socket.local,
    remote: socket.remote,
    datagrams$: datagrams.asObservable(),
    send: (datagram) => send(datagram, MAX_QUEUED),
    sendCheck: (datagram) => send(datagram, MAX_QUEUED + CHECK_RESERVE),
    close: () => end(() => datagrams.complete()),
  };
}
