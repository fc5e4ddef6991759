import { once } from 'node:events';
import { firstValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import { encodeRelayFrame, type ServerLimits } from '../../src/protocol/rendezvous/index.ts';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { type RunningServer, startServer } from '../../src/server/index.ts';
import { createPacketRouter } from '../../src/streams/packet-router.ts';
import { stunTransaction } from '../../src/streams/stun-transaction.ts';
import { filled, testIdentity } from '../protocol/rendezvous/support.ts';
import { connect, releaseAll } from '../server/raw-client.ts';
import { frame, upgradeRequest } from '../server/raw-frames.ts';
import { inParallel, mutations, sendDatagrams, sendStream } from './attack.ts';
import { SEED, TIMEOUT } from './budget.ts';
import { mutateBytes } from './engine/mutate-bytes.ts';
import { mutateJson } from './engine/mutate-json.ts';
import { mutateStun } from './engine/mutate-stun.ts';
import { mutateText } from './engine/mutate-text.ts';
import { CALLER, clientFrames, SESSION, TICKET_ID } from './targets/frames.ts';
import { requestHead } from './targets/http.ts';
import { stunMessage } from './targets/stun.ts';

/** All come from one address here, and it is not rates that are looked at. */
const PLENTY = { rate: 1e9, burst: 1e9 };
const LIMITS: Partial<ServerLimits> = {
  halfOpenPerSource: 1e9,
  connectionsPerSource: PLENTY,
  requestsPerSource: PLENTY,
  controlPerSource: PLENTY,
};

const uncaught: unknown[] = [];
const keep = (error: unknown): void => void uncaught.push(error);
let server: RunningServer;
let web: Endpoint;

beforeAll(async () => {
  process.on('uncaughtException', keep);
  process.on('unhandledRejection', keep);
  server = await startServer({ port: 0, stunPort: 0, limits: LIMITS });
  web = endpoint('127.0.0.1', Number(new URL(server.url).port));
});
afterAll(async () => {
  await server.close();
  process.off('uncaughtException', keep);
  process.off('unhandledRejection', keep);
});
afterEach(async () => {
  await introduceTwo();
  await releaseAll();
  expect(uncaught).toEqual([]);
});

describe('the WebSocket port of a server', () => {
  it(
    'lives through 3,000 connections that speak something like HTTP',
    async () => {
      const mutated = mutations(requestHead.seeds, mutateText, 3000, SEED);
      await inParallel(mutated.length, 16, (i) => sendStream([mutated[i]!], web));
      const health = await fetch(`http://127.0.0.1:${web.port}/healthz`);
      expect(await health.text()).toBe('ok\n');
    },
    TIMEOUT,
  );

  it(
    'lives through 10,000 frames that are something like those of RFC 6455',
    async () => {
      const frames = clientFrames.map((said) => frame(0x1, Buffer.from(encodeFrame(said))));
      const other = [0x0, 0x2, 0x8, 0x9, 0xa].map((opcode) => frame(opcode, filled(30, 1), { fin: opcode > 0 }));
      const mutated = mutations([...frames, ...other], mutateBytes, 10_000, SEED);
      const upgrade = Buffer.from(upgradeRequest());
      await inParallel(500, 16, (i) => sendStream([upgrade, ...mutated.slice(20 * i, 20 * (i + 1))], web));
    },
    TIMEOUT,
  );

  it(
    'lives through 20,000 messages that are something like those of a client',
    async () => {
      const seeds = clientFrames.map((said) => Buffer.from(encodeFrame(said)));
      const texts = mutations(seeds, mutateJson, 10_000, SEED);
      const binaries = mutations([encodeRelayFrame(SESSION, filled(1200, 1))], mutateBytes, 10_000, SEED);
      const before = server.counters().malformed;
      await inParallel(100, 4, async (i) => {
        const { socket } = await connect(server);
        const closed = once(socket, 'close');
        for (let at = 100 * i; at < 100 * (i + 1); at++) {
          socket.send(Buffer.from(texts[at]!).toString('utf8'));
          socket.send(binaries[at]!);
        }
        socket.close();
        await closed;
      });
      expect(server.counters().malformed - before).toBeGreaterThan(5000);
    },
    TIMEOUT,
  );
});

describe('the STUN ports of a server', () => {
  it(
    'live through 20,000 datagrams that are something like STUN',
    async () => {
      const mutated = mutations(stunMessage.seeds, mutateStun, 20_000, SEED);
      const before = { ...server.counters().stun! };
      for (let batch = 0; batch < 100; batch++) {
        await sendDatagrams(mutated.slice(200 * batch, 200 * (batch + 1)), server.stun, sourceOf(batch));
        if (batch % 10 === 9) await askStun();
      }
      const after = server.counters().stun!;
      expect(after.ignored - before.ignored).toBeGreaterThan(1000);
      expect(after.answered + after.refused - before.answered - before.refused).toBeGreaterThan(20);
    },
    TIMEOUT,
  );
});

/** On Linux every address of 127.0.0.0/8 is one's own: from a network each, all datagrams are read, as rates go by network. */
function sourceOf(batch: number): string {
  return process.platform === 'linux' ? `127.0.${batch + 1}.1` : '127.0.0.1';
}

/** A well-behaved client of both STUN ports. */
async function askStun(): Promise<void> {
  const socket = await nodeNetwork().udp({ family: 4, address: '127.0.0.1' });
  const router = createPacketRouter(socket);
  for (const at of server.stun) {
    const options = { router, server: at, clock: systemClock(), random: cryptoRandom(), rto: 50 };
    const { mapped } = await firstValueFrom(stunTransaction(options));
    expect(mapped).toEqual(endpoint('127.0.0.1', socket.local.port));
  }
  router.close();
}

/** Two well-behaved clients of the WebSocket port: an offer, an answer and a datagram. */
async function introduceTwo(): Promise<void> {
  const [listener, dialer] = [await connect(server), await connect(server)];
  const identity = testIdentity();
  await listener.register(identity);
  const session = Uint8Array.from(cryptoRandom().bytes(16));
  const envelope = filled(40, 1);
  dialer.send({ type: 'offer', to: identity.key, session, ticketId: TICKET_ID, envelope, caller: CALLER });
  expect(await listener.next()).toMatchObject({ type: 'offer', session });
  listener.send({ type: 'envelope', session, envelope });
  expect(await dialer.next()).toMatchObject({ type: 'envelope', session });
  const relayed = once(listener.socket, 'message');
  const datagram = encodeRelayFrame(session, filled(1200, 2));
  dialer.socket.send(datagram);
  const [received, isBinary] = await relayed;
  expect([isBinary, Buffer.from(datagram).equals(received)]).toEqual([true, true]);
}
