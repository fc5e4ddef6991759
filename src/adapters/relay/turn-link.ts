import { map, mergeMap, type Observable } from 'rxjs';
import type { Datagram } from '../../core/datagram.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { ByteSocket, Network } from '../../core/network.ts';
import { createTurnStreamDecoder, type TurnTransport } from '../../protocol/turn/index.ts';

/** The way to a TURN server: a UDP socket, or a TCP connection. */
export interface TurnLink {
  /** What came, one message each; valid during the call only. Completes or errors with the connection, or the socket. One subscriber. */
  readonly received$: Observable<Datagram>;
  /** False when the message was dropped at once. Over TCP it goes to the server that was connected to. */
  send(message: Uint8Array, to: Endpoint): boolean;
  /** Whether so many bytes of data would not wait for too long. */
  hasRoomFor(length: number): boolean;
  close(): void;
}

/** Errors: those of `Network.udp` and `Network.connect`. */
export async function openTurnLink(
  network: Network,
  server: Endpoint,
  transport: TurnTransport,
  signal: AbortSignal,
): Promise<TurnLink> {
  if (transport === 'udp') return datagramLink(network, server);
  return streamLink(await network.connect({ host: server.address, port: server.port, signal }), server);
}

async function datagramLink(network: Network, { family }: Endpoint): Promise<TurnLink> {
  const socket = await network.udp({ family });
  return {
    received$: socket.datagrams$,
    send: (message, to) => socket.send(message, to),
    hasRoomFor: () => true,
    close: () => socket.close(),
  };
}

/** What comes is cut into messages, and errors with `ERR_DECODE` where it cannot be. */
function streamLink(socket: ByteSocket, server: Endpoint): TurnLink {
  const decoder = createTurnStreamDecoder();
  return {
    received$: socket.bytes$.pipe(
      mergeMap((chunk) => decoder.decode(chunk)),
      map((data) => ({ data, from: server })),
    ),
    send(message) {
      // What breaks a write breaks the reading too, which tells of it.
      socket.write(message).catch(() => {});
      return true;
    },
    hasRoomFor: (length) => socket.queued + length <= MAX_QUEUED,
    close: () => socket.destroy(),
  };
}

/**
 * Bytes that wait for the connection. QUIC above takes a drop for congestion and slows down, so the newest datagram is dropped rather
 * than queued behind more than this; requests of the client, of which there are few, go beyond it.
 */
const MAX_QUEUED = 64 * 1024;
