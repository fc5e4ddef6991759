import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { System } from '../thousand/system.ts';

/** Nodes of the table that the two find each other in. */
const TABLE = 4;

/** One node a side, with its own keepalive of 5 s, on a table of its own. Needs `npm --prefix bench/peers install`. */
export const hyperdht: System = {
  async serve() {
    const { default: createTestnet } = await import('hyperdht/testnet.js');
    const { bootstrap } = await createTestnet(TABLE);
    return bootstrap.map(({ host, port }) => `${host}:${port}`).join();
  },

  async listen(server) {
    const node = await openNode(server);
    const held = new Set<Duplex>();
    const door = node.createServer((socket) => {
      held.add(socket);
      socket.once('close', () => held.delete(socket));
      socket.once('error', () => held.delete(socket));
      socket.once('data', (byte) => socket.write(byte));
    });
    await door.listen();
    return { address: Buffer.from(door.publicKey).toString('hex'), held: () => held.size };
  },

  async dial(address, server) {
    const node = await openNode(server);
    const key = Buffer.from(address, 'hex');
    return {
      async connect() {
        const socket = node.connect(key);
        socket.write('x');
        await once(socket, 'data');
        socket.on('error', () => socket.destroy());
        socket.resume();
        return () => void socket.destroy();
      },
    };
  },
};

async function openNode(server: string) {
  const { default: DHT } = await import('hyperdht');
  const node = new DHT({ bootstrap: server.split(','), host: '127.0.0.1' });
  await node.fullyBootstrapped();
  return node;
}
