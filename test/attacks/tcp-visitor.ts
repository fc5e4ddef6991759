import { once } from 'node:events';
import { connect } from 'node:net';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import { createFrameDecoder, frameDatagram } from '../../src/protocol/framing/frame.ts';
import type { StunMessage } from '../../src/protocol/stun/index.ts';
import { isQuicPacket, tryDecodeStun } from '../../src/streams/demultiplex.ts';

/** An attacker's TCP connection to a peer's listener, which speaks in frames (RFC 4571). */
export interface TcpVisitor {
  /** As the peer sees it. */
  readonly address: Endpoint;
  /** Datagrams that came back. */
  readonly heard: readonly Uint8Array[];
  readonly ended: boolean;
  send(datagram: Uint8Array): void;
  close(): void;
}

/** `onCheck` is called with each STUN request of the peer. */
export async function visit(
  port: number,
  onCheck: (check: StunMessage, visitor: TcpVisitor) => void = () => {},
): Promise<TcpVisitor> {
  const socket = connect({ host: '127.0.0.1', port });
  const heard: Uint8Array[] = [];
  const decoder = createFrameDecoder();
  let ended = false;
  await once(socket, 'connect');
  const visitor: TcpVisitor = {
    address: endpoint('127.0.0.1', socket.localPort!),
    heard,
    get ended() {
      return ended;
    },
    send: (datagram) => void socket.write(frameDatagram(datagram)),
    close: () => void socket.destroy(),
  };
  // How the peer ends the connection is all the same here.
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
  });
  socket.on('data', (chunk) => {
    for (const datagram of decoder.decode(chunk)) {
      const copy = Uint8Array.from(datagram);
      heard.push(copy);
      const stun = isQuicPacket(copy) ? undefined : tryDecodeStun(copy);
      if (stun?.class === 'request') onCheck(stun, visitor);
    }
  });
  return visitor;
}
