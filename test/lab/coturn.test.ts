/** Interoperation with coturn (Debian package `coturn`), over loopback: its server with our client, and the reverse. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import { type Endpoint, endpoint, formatEndpoint, sameEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import {
  attribute,
  BINDING,
  createStunServer,
  type EncodableAttribute,
  type EncodeOptions,
  encodeMessage,
  longTermKey,
  type StunMessage,
  type StunServer,
  verifyIntegrity,
} from '../../src/protocol/stun/index.ts';
import { probeBehavior } from '../../src/streams/behavior-probe.ts';
import { createPacketRouter, type PacketRouter } from '../../src/streams/packet-router.ts';
import { stunTransaction } from '../../src/streams/stun-transaction.ts';
import { hasTurnserver, startTurnserver, type Turnserver } from './turnserver.ts';

const network = nodeNetwork();
const clock = systemClock();
const random = cryptoRandom();

const FIRST = '127.0.0.1';
const SECOND = '127.0.0.2';
const CREDENTIALS = { username: 'alice', realm: 'example.org', password: 'secret' };

if (!hasTurnserver)
  console.warn('skipped: interoperation with coturn: no turnserver on the PATH (Debian package coturn)');

describe.skipIf(!hasTurnserver)('coturn as the server', () => {
  let server: Coturn;
  beforeAll(async () => {
    server = await startCoturn([]);
  });
  afterAll(() => server.stop());

  it('tells us our address, and its other one', async () => {
    const router = await openRouter();
    const binding = await firstValueFrom(stunTransaction({ router, server: server.primary, clock, random }));
    expect(binding).toMatchObject({ server: server.primary, mapped: router.socket.local, other: server.alternate });
    expect(binding.rtt).toBeLessThan(1000);
  });

  it('lets us find out that loopback neither translates nor filters', async () => {
    const router = await openRouter();
    const { local } = router.socket;
    const last = await lastValueFrom(
      probeBehavior({ router, servers: [server.primary], clock, random, locals: [local], filtering: true }),
    );
    const [primary, alternate, self] = [server.primary, server.alternate, local].map(formatEndpoint);
    expect(last).toMatchObject({
      type: 'behavior',
      behavior: {
        mapping: 'endpoint-independent',
        filtering: 'endpoint-independent',
        portPreservation: true,
        translated: false,
        evidence: expect.arrayContaining([
          `${primary} sees ${self} as ${self}`,
          `${alternate} sees ${self} as ${self}`,
          `${primary} asked to answer from ${alternate}: answered`,
        ]),
      },
    });
  });

  it('names an attribute that it does not know, and we read the error', async () => {
    const router = await openRouter();
    const refused = await exchangeBytes(router, server.primary, (transactionId) =>
      withUnknownAttribute(encodeMessage({ class: 'request', method: BINDING, transactionId, attributes: [] })),
    );
    expect(attribute(refused, 'error-code')?.code).toBe(420);
    expect(attribute(refused, 'unknown-attributes')?.types).toEqual([0x7fff]);
  });
});

describe.skipIf(!hasTurnserver)('coturn that demands long-term credentials (RFC 8489 section 9.2)', () => {
  let server: Coturn;
  beforeAll(async () => {
    const { username, realm, password } = CREDENTIALS;
    server = await startCoturn([
      '--secure-stun',
      '--lt-cred-mech',
      `--realm=${realm}`,
      `--user=${username}:${password}`,
    ]);
  });
  afterAll(() => server.stop());

  it('challenges, accepts our MESSAGE-INTEGRITY, and we verify its own', async () => {
    const router = await openRouter();
    const challenge = await exchange(router, server.primary, []);
    expect(attribute(challenge, 'error-code')?.code).toBe(401);
    expect(attribute(challenge, 'realm')?.value).toBe(CREDENTIALS.realm);
    const nonce = attribute(challenge, 'nonce')!;

    const authorized = (password: string): Promise<StunMessage> =>
      exchange(
        router,
        server.primary,
        [{ type: 'username', value: CREDENTIALS.username }, { type: 'realm', value: CREDENTIALS.realm }, nonce],
        { integrityKey: longTermKey(CREDENTIALS.username, CREDENTIALS.realm, password), fingerprint: true },
      );
    const answer = await authorized(CREDENTIALS.password);
    expect(attribute(answer, 'xor-mapped-address')?.endpoint).toEqual(router.socket.local);
    const { username, realm, password } = CREDENTIALS;
    expect(verifyIntegrity(answer, longTermKey(username, realm, password))).toBe(true);
    expect(attribute(await authorized('wrong'), 'error-code')?.code).toBe(401);
  });
});

describe.skipIf(!hasTurnserver)("coturn's clients at our server", () => {
  it('discover mapping and filtering (turnutils_natdiscovery)', async () => {
    const [port, alternatePort] = await freePorts();
    const primary = endpoint(FIRST, port);
    const engine = createStunServer({ addresses: { primary, alternate: endpoint(SECOND, alternatePort) } });
    const ports = [port, alternatePort];
    await serve(
      engine,
      [FIRST, SECOND].flatMap((address) => ports.map((p) => ({ address, port: p }))),
    );
    const output = await run('turnutils_natdiscovery', ['-m', '-f', '-p', `${primary.port}`, primary.address]);
    expect(output).toContain('NAT with Endpoint Independent Mapping!');
    expect(output).toContain('NAT with Endpoint Independent Filtering!');
    expect(engine.counters).toMatchObject({ refused: 0, malformed: 0, rateLimited: 0 });
  });

  it('learn their address (turnutils_stunclient)', async () => {
    const engine = createStunServer();
    const [socket] = await serve(engine, [{ address: FIRST, port: 0 }]);
    const output = await run('turnutils_stunclient', ['-p', `${socket!.local.port}`, FIRST]);
    expect(output).toMatch(/UDP reflexive addr: 127\.0\.0\.1:\d+/);
    expect(engine.counters.answered).toBeGreaterThan(0);
  });
});

interface Coturn extends Turnserver {
  readonly primary: Endpoint;
  readonly alternate: Endpoint;
}

/** Starts a STUN server on two addresses and two ports, and waits until it listens. */
async function startCoturn(options: readonly string[]): Promise<Coturn> {
  const [port, alternatePort] = await freePorts();
  const { stop } = await startTurnserver([
    `--listening-ip=${FIRST}`,
    `--listening-ip=${SECOND}`,
    `--listening-port=${port}`,
    `--alt-listening-port=${alternatePort}`,
    '--no-tcp',
    ...options,
  ]);
  return { primary: endpoint(FIRST, port), alternate: endpoint(SECOND, alternatePort), stop };
}

/** Binds an engine of ours to real sockets, until the test is over. */
async function serve(
  engine: StunServer,
  places: readonly { address: string; port: number }[],
): Promise<DatagramSocket[]> {
  const sockets = await Promise.all(places.map((place) => network.udp({ family: 4, ...place })));
  for (const socket of sockets) {
    onTestFinished(() => socket.close());
    socket.datagrams$.subscribe((datagram) => {
      const answer = engine.handle(datagram, socket.local, clock.now());
      if (answer === undefined) return;
      sockets.find(({ local }) => sameEndpoint(local, answer.from))?.send(answer.reply, answer.to);
    });
  }
  return sockets;
}

async function openRouter(): Promise<PacketRouter> {
  const router = createPacketRouter(await network.udp({ family: 4, address: FIRST }));
  onTestFinished(() => router.close());
  return router;
}

/** Sends a Binding request every 100 ms until it is answered, whatever the answer. */
function exchange(
  router: PacketRouter,
  server: Endpoint,
  attributes: readonly EncodableAttribute[],
  options: EncodeOptions = {},
): Promise<StunMessage> {
  return exchangeBytes(router, server, (transactionId) =>
    encodeMessage({ class: 'request', method: BINDING, transactionId, attributes }, options),
  );
}

async function exchangeBytes(
  router: PacketRouter,
  server: Endpoint,
  encode: (transactionId: Uint8Array) => Uint8Array,
): Promise<StunMessage> {
  const transactionId = random.bytes(12);
  const request = encode(transactionId);
  const answer = new Promise<StunMessage>((resolve) => {
    const unregister = router.onResponse(transactionId, server, (message) => {
      unregister();
      resolve(message);
    });
  });
  const repeat = setInterval(() => router.socket.send(request, server), 100);
  router.socket.send(request, server);
  return answer.finally(() => clearInterval(repeat));
}

function withUnknownAttribute(message: Uint8Array): Uint8Array {
  return Uint8Array.of(...message, 0x7f, 0xff, 0, 0).with(3, message[3]! + 4);
}

/** Two ports that are free on both addresses at this moment. */
async function freePorts(): Promise<[number, number]> {
  const sockets = await Promise.all([0, 0].map((port) => network.udp({ family: 4, port, address: FIRST })));
  const [first, second] = sockets.map(({ local }) => local.port);
  for (const socket of sockets) socket.close();
  return [first!, second!];
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 30_000 });
  return stdout;
}
