import { createServer, connect as dial, type Socket } from 'node:net';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import type { MappingProtocol } from '../../src/core/port-mapper.ts';

/** A port of a gateway on loopback that leads to a port behind it. */
export interface PortForward extends AsyncDisposable {
  readonly external: Endpoint;
  /** Whether this is one of the gateway's own ports, which whoever is behind it sees packets come from. */
  isOwn(port: number): boolean;
}

/** What comes in at `external` goes on to a port of this machine, and what comes back goes back. */
export function forwardPort(protocol: MappingProtocol, to: number): Promise<PortForward> {
  return protocol === 'udp' ? forwardUdp(to) : forwardTcp(to);
}

async function forwardUdp(to: number): Promise<PortForward> {
  const network = nodeNetwork();
  const open = (): Promise<DatagramSocket> => network.udp({ family: 4, address: '127.0.0.1' });
  const outside = await open();
  /** One a host outside, by its address. */
  const inside = new Map<string, Promise<DatagramSocket>>();
  const own = new Set<number>();

  const openFor = async (from: Endpoint): Promise<DatagramSocket> => {
    const socket = await open();
    own.add(socket.local.port);
    socket.datagrams$.subscribe(({ data }) => outside.send(data, from));
    return socket;
  };

  outside.datagrams$.subscribe(async ({ data, from }) => {
    const copy = Uint8Array.from(data);
    const key = formatEndpoint(from);
    const socket = inside.get(key) ?? openFor(from);
    inside.set(key, socket);
    (await socket).send(copy, endpoint('127.0.0.1', to));
  });

  return {
    external: outside.local,
    isOwn: (port) => own.has(port),
    async [Symbol.asyncDispose]() {
      outside.close();
      for (const socket of inside.values()) (await socket).close();
    },
  };
}

async function forwardTcp(to: number): Promise<PortForward> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((outside) => {
    const inside = keep(dial(to, '127.0.0.1'));
    keep(outside).pipe(inside).pipe(outside);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    external: endpoint('127.0.0.1', port),
    isOwn: () => false,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
