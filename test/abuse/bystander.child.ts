/** Clients that behave: two that ping each other over a server's relay, and others that dial one of the two anew. */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { toHex } from '../../src/core/hex.ts';
import { encodeRelayFrame } from '../../src/protocol/rendezvous/index.ts';
import { decodeServerFrame, encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { filled, testIdentity } from '../protocol/rendezvous/support.ts';
import { createBystander } from './experience.ts';
import { offer } from './process.ts';
import { nextFrame, sayHello } from './say-hello.ts';

const identity = testIdentity();
const ids = { to: identity.key, ticketId: filled(16, 0xb1), caller: filled(16, 0xb2), envelope: filled(100, 3) };
const session = filled(16, 0xb3);
let url: string;
let pinger: WebSocket;

/** Answers pings, and the offers of those who hold the ticket. */
function answer(listener: WebSocket): void {
  listener.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      listener.send(data);
      return;
    }
    const frame = decodeServerFrame(data.toString('utf8'));
    if (frame.type !== 'offer' || !Buffer.from(ids.ticketId).equals(frame.ticketId)) return;
    listener.send(encodeFrame({ type: 'envelope', session: frame.session, envelope: filled(100, 4) }));
  });
}

/** A client of its own that has offered the listener this session, once it is answered. */
async function dial(session: Uint8Array): Promise<WebSocket> {
  const { socket } = await sayHello(new WebSocket(url, { localAddress: BYSTANDER }));
  socket.send(encodeFrame({ type: 'offer', session, ...ids }));
  const frame = await nextFrame(socket);
  if (frame.type !== 'envelope') throw new Error(frame.type === 'error' ? frame.code : frame.type);
  return socket;
}

const bystander = createBystander({
  async dial() {
    const socket = await dial(randomBytes(16));
    socket.terminate();
  },
  send(ping) {
    const payload = Buffer.alloc(100);
    payload.writeUInt32BE(ping);
    pinger.send(encodeRelayFrame(session, payload));
  },
  onAnswer(listener) {
    const onMessage = (data: Buffer, isBinary: boolean): void => {
      if (isBinary) listener(data.readUInt32BE(17));
    };
    pinger.on('message', onMessage);
    return () => pinger.off('message', onMessage);
  },
});

const api = {
  /** Fulfils with the listener's key in hex, once the two are joined. */
  async start(server: string): Promise<string> {
    url = server;
    answer((await sayHello(new WebSocket(url, { localAddress: BYSTANDER }), identity)).socket);
    pinger = await dial(session);
    return toHex(identity.key);
  },
  ...bystander,
};

/** An address of its own, so that it is not held to what attackers on others do. */
const BYSTANDER = '127.0.99.1';

export type BystanderApi = typeof api;
offer(api);
