import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { System } from './system.ts';

/** ms between two questions of a side, as a path in use has them; each is answered. */
const INTERVAL = 5000;
const QUESTION = Buffer.from('are you there?');
const ANSWER = Buffer.from('I am');
const END = Buffer.from('bye');

/** What a connection costs at least: a socket of its own on each side, asking and answering at the rate of consent checks. */
export const udpSockets: System = {
  serve: async () => '',

  async listen() {
    const held = new Set<Socket>();
    const door = await openSocket();
    door.on('message', async (_, { address, port }) => {
      const socket = await openSocket();
      held.add(socket);
      socket.once('close', () => held.delete(socket));
      keepAsking(socket, { address, port });
    });
    return { address: String(door.address().port), held: () => held.size };
  },

  async dial(door) {
    return {
      async connect() {
        const socket = await openSocket();
        socket.send(QUESTION, Number(door), '127.0.0.1');
        const [, peer] = await once(socket, 'message');
        return keepAsking(socket, peer);
      },
    };
  },
};

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _, answer) => answer(null, host, 4) });
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  return socket;
}

/** Asks at once and then again, each time after 0.8 to 1.2 x {@link INTERVAL}; answers what the other side asks. Gives what ends both sides. */
function keepAsking(socket: Socket, { address, port }: Pick<RemoteInfo, 'address' | 'port'>): () => void {
  let timer: NodeJS.Timeout | undefined;
  const ask = (): void => {
    socket.send(QUESTION, port, address);
    timer = setTimeout(ask, INTERVAL * (0.8 + 0.4 * Math.random()));
  };
  const end = (): void => {
    clearTimeout(timer);
    socket.close();
  };
  socket.on('message', (message) => {
    if (message.length === QUESTION.length) socket.send(ANSWER, port, address);
    if (message.length === END.length) end();
  });
  ask();
  return () => socket.send(END, port, address, end);
}
