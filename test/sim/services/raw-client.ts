import { endpoint } from '../../../src/core/endpoint.ts';
import type { ClientFrame, ServerFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { decodeServerFrame, encodeFrame } from '../../../src/protocol/rendezvous/wire.ts';
import type { Host } from '../../../src/sim/host.ts';
import type { TcpSocket } from '../../../src/sim/index.ts';
import { WebSocketConnection } from '../../../src/sim/websocket/connection.ts';
import { requestUpgrade } from '../../../src/sim/websocket/upgrade.ts';
import { addressOf } from '../datagrams.ts';

/** A WebSocket client of a rendezvous service that does nothing by itself but answer pings. */
export interface RawClient {
  readonly socket: TcpSocket;
  readonly connection: WebSocketConnection;
  /** What has come, in order. */
  readonly frames: ServerFrame[];
  readonly datagrams: Uint8Array[];
  /** Close code and reason, once the connection has ended. */
  readonly end: [number, string] | undefined;
  send(frame: ClientFrame): void;
}

export function dial(from: Host, to: Host, port = 8790): Promise<TcpSocket> {
  return from.tcp.connect({ remote: endpoint(addressOf(to), port) });
}

export async function join(from: Host, to: Host, port = 8790): Promise<RawClient> {
  const socket = await dial(from, to, port);
  const rest = await requestUpgrade(socket, `${to.name}:${port}`);
  const frames: ServerFrame[] = [];
  const datagrams: Uint8Array[] = [];
  let end: [number, string] | undefined;
  const connection = new WebSocketConnection(
    { stream: socket, role: 'client', clock: from.clock, rest },
    {
      onMessage: (message) => {
        if (typeof message === 'string') frames.push(decodeServerFrame(message));
        else datagrams.push(message);
      },
      onControl: () => {},
      onEnd: (code, reason) => {
        end = [code, reason];
      },
    },
  );
  return {
    socket,
    connection,
    frames,
    datagrams,
    get end() {
      return end;
    },
    send: (frame) => connection.send(encodeFrame(frame)),
  };
}
