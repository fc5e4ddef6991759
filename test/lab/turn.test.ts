/** TURN with coturn (Debian package `coturn`), over loopback: its server with our client, and its client with our server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import { ALICE, echoPeer, LOOPBACK, REALM, serveTurn } from '../interop/turn-server.ts';
import { type GuestOptions, type GuestWorld, type TurnGuest, tcpGuest, udpGuest } from '../protocol/turn/guest.ts';
import { hasTurnserver, startTurnserver, type Turnserver } from './turnserver.ts';

const world: GuestWorld = { network: nodeNetwork(), clock: systemClock(), random: cryptoRandom() };
/** Of coturn, in s. */
const NONCE_LIFETIME = 2;
/** Sent by each of two clients of turnutils_uclient to the other. */
const MESSAGES = 5;
const TRANSPORTS = ['udp', 'tcp'] as const;

if (!hasTurnserver) console.warn('skipped: TURN with coturn: no turnserver on the PATH (Debian package coturn)');

describe.skipIf(!hasTurnserver).each(TRANSPORTS)('our client at coturn, over %s', (transport) => {
  let server: Coturn;
  beforeAll(async () => {
    server = await startCoturn(['--allow-loopback-peers', `--stale-nonce=${NONCE_LIFETIME}`]);
  });
  afterAll(() => server.stop());

  async function open(options: Partial<GuestOptions> = {}): Promise<TurnGuest> {
    const chosen = { ...ALICE, ...options };
    const guest =
      transport === 'udp'
        ? await udpGuest(world, server.at, chosen, LOOPBACK)
        : await tcpGuest(world, server.at, chosen);
    onTestFinished(async () => {
      guest.do({ type: 'close' });
      await guest.until(() => guest.last?.type === 'ended' || guest.last?.type === 'failed');
    });
    guest.do({ type: 'allocate' });
    return guest;
  }

  it('gets an allocation, after a challenge', async () => {
    const guest = await open({ lifetime: 1_200 });
    await guest.until(() => guest.story === 'allocated');
    expect(guest.last).toMatchObject({
      lifetime: 1_200,
      relayed: { address: LOOPBACK, family: 4 },
      mapped: { address: LOOPBACK },
    });
  });

  it.each(['permit', 'bind'] as const)('exchanges data with a peer after %s', async (type) => {
    const guest = await open();
    const peer = await echoPeer();
    guest.do({ type, peer });
    await guest.until(() => guest.story === 'allocated permitted');
    for (const text of ['a', 'bcd', 'efghijk']) guest.say(text, peer);
    await guest.until(() => guest.heard.length === 3);
    expect(guest.texts).toEqual(['a', 'bcd', 'efghijk']);
    expect(guest.engine.dropped).toMatchObject({ malformed: 0, unauthenticated: 0, unmatched: 0 });
  });

  it('meets a client of its own kind there', async () => {
    const [alice, bob] = await Promise.all([open(), open()]);
    await Promise.all([alice, bob].map((guest) => guest.until(() => guest.story === 'allocated')));
    alice.do({ type: 'bind', peer: bob.relayed });
    bob.do({ type: 'permit', peer: alice.relayed });
    await Promise.all([alice, bob].map((guest) => guest.until(() => guest.story === 'allocated permitted')));
    alice.say('hello', bob.relayed);
    await bob.until(() => bob.heard.length === 1);
    bob.say('and back', alice.relayed);
    await alice.until(() => alice.heard.length === 1);
    expect([alice.texts, bob.texts]).toEqual([['and back'], ['hello']]);
  });

  it('answers a stale nonce with a fresh one', async () => {
    const guest = await open();
    await guest.until(() => guest.story === 'allocated');
    const { transmit } = guest;
    let requests = 0;
    guest.transmit = (bytes, to) => {
      requests++;
      transmit(bytes, to);
    };
    // coturn's own clock has to go on: nonces are good for NONCE_LIFETIME seconds, and it counts in whole ones.
    await new Promise((resolve) => world.clock.setTimeout(() => resolve(undefined), 1_000 * (NONCE_LIFETIME + 1)));
    guest.do({ type: 'permit', peer: await echoPeer() });
    await guest.until(() => guest.story === 'allocated permitted');
    expect(requests).toBe(2);
  });

  it('is told why it is refused', async () => {
    const stranger = await open({ password: 'wrong' });
    await stranger.until(() => stranger.events.length > 0);
    expect(stranger.last).toMatchObject({ type: 'failed', failure: { kind: 'refused', code: 401 } });
    const guest = await open();
    guest.do({ type: 'permit', peer: endpoint('0.0.0.1', 1) });
    await guest.until(() => guest.events.length > 1);
    expect(guest.last).toMatchObject({ type: 'refused', code: 403 });
  });

  it('lets go', async () => {
    const guest = await open();
    await guest.until(() => guest.story === 'allocated');
    guest.do({ type: 'close' });
    await guest.until(() => guest.story === 'allocated ended');
  });
});

/** By Send indications: for its channels it draws numbers of RFC 5766, most of which RFC 8656 section 12 has taken away. */
describe.skipIf(!hasTurnserver)("coturn's client at our server (turnutils_uclient)", () => {
  it.each([
    ['over UDP', ['-c']],
    ['over UDP, asking for IPv4', ['-c', '-X']],
    ['over TCP', ['-c', '-t']],
  ])('%s: loses nothing', async (_name, flags) => {
    const { engine, at } = await serveTurn();
    expect(await uclient(flags, at)).toContain('Total lost packets 0 (0.000000%)');
    const { dropped, refused, relayedDatagrams } = engine.counters;
    expect(Object.values(dropped)).toEqual(Object.values(dropped).map(() => 0));
    expect(Object.keys(refused)).toEqual(['401']);
    expect(relayedDatagrams).toBe(2 * 2 * MESSAGES);
  });

  it('with RTCP: even ports, and the next ones by reservation', async () => {
    const { engine, at } = await serveTurn();
    expect(await uclient([], at)).toContain('Total lost packets 0 (0.000000%)');
    expect(engine.counters).toMatchObject({ allocated: 5, refused: { 401: 5 }, relayedDatagrams: 2 * 4 * MESSAGES });
  });

  it('with DONT-FRAGMENT: is told that this cannot be had', async () => {
    const { engine, at } = await serveTurn();
    await expect(uclient(['-c', '-g'], at)).rejects.toThrow();
    expect(engine.counters).toMatchObject({ allocated: 0, refused: { 401: 2, 420: 2 } });
  });
});

interface Coturn extends Turnserver {
  readonly at: Endpoint;
}

/** Starts a TURN server on loopback, for alice, and waits until it listens. */
async function startCoturn(options: readonly string[]): Promise<Coturn> {
  const port = await freePort();
  const { stop } = await startTurnserver([
    `--listening-ip=${LOOPBACK}`,
    `--relay-ip=${LOOPBACK}`,
    `--listening-port=${port}`,
    '--lt-cred-mech',
    `--realm=${REALM}`,
    `--user=${ALICE.username}:${ALICE.password}`,
    ...options,
  ]);
  return { at: endpoint(LOOPBACK, port), stop };
}

async function freePort(): Promise<number> {
  const socket = await world.network.udp({ family: 4, address: LOOPBACK });
  socket.close();
  return socket.local.port;
}

async function uclient(flags: readonly string[], { address, port }: Endpoint): Promise<string> {
  const credentials = ['-u', ALICE.username, '-w', ALICE.password];
  const args = ['-y', '-s', '-n', `${MESSAGES}`, ...flags, ...credentials, '-p', `${port}`, '-L', LOOPBACK, address];
  const { stdout, stderr } = await promisify(execFile)('turnutils_uclient', args, { timeout: 60_000 });
  return stdout + stderr;
}
