import type { Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Candidate, RemoteCandidate } from '../../src/core/candidate.ts';
import type { Datagram } from '../../src/core/datagram.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { RelayedSocket } from '../../src/core/relay.ts';
import type { CheckAgentOptions } from '../../src/peer/check-agent.ts';
import type { ConnectionCredentials } from '../../src/peer/connection-credentials.ts';
import { RelayedLink } from '../../src/peer/relayed-link.ts';
import type { RuntimeOptions } from '../../src/peer/runtime-contract.ts';
import type { SessionLink } from '../../src/peer/session-link.ts';
import { createCheckBudget } from '../../src/protocol/ice/index.ts';
import type { DirectPath } from '../../src/streams/direct-path.ts';
import { createPacketRouter } from '../../src/streams/packet-router.ts';
import { candidate, signalled } from '../protocol/ice/internet.ts';
import { seededRandom } from '../seeded-random.ts';
import { Wire } from '../streams/ice/wire.ts';

const HERE = candidate('host', endpoint('198.51.100.2', 5_000));
const THERE = candidate('host', endpoint('203.0.113.2', 6_000));
const never = new AbortController().signal;

/** One side of a connection, of which the relayed paths are all there is. */
function side(
  wire: Wire,
  role: 'dialer' | 'listener',
  own: Candidate,
  policy: RuntimeOptions['policy'] = 'relay-first',
) {
  const { address, port } = own.endpoint;
  const remote: RemoteCandidate[] = [];
  const told: RemoteCandidate[] = [];
  const paths: DirectPath[] = [];
  const lost: string[] = [];
  const router = createPacketRouter(wire.socket(address, port));
  const link = new RelayedLink({
    runtime: {
      env: { clock: wire.clock, random: seededRandom(role.length), loopback: false },
      role,
      policy,
      routers: [router],
      budget: createCheckBudget().share('the other side'),
    } as unknown as RuntimeOptions,
    byHand: false,
    credentials: { atRelay: (at) => credentials(role, at) } as ConnectionCredentials,
    link: {
      follow: () => {},
      accept: () => {},
      addDirect: (path: DirectPath) => paths.push(path),
      addRelayed: (path: DirectPath) => paths.push(path),
      table: { current: undefined, confirm: () => {}, doubt: () => {} },
    } as unknown as SessionLink,
    known: () => ({ local: [own], remote }),
    on: {
      allocated: () => told.push(...link.candidates.map(signalled)),
      validated: () => {},
      lost: (_id, reason) => lost.push(reason),
    },
  });
  return {
    link,
    paths,
    lost,
    told,
    /** It is told these. */
    tell(...candidates: readonly RemoteCandidate[]) {
      remote.push(...candidates);
      link.addRemote(candidates);
    },
  };
}

function credentials(role: 'dialer' | 'listener', at: Endpoint): CheckAgentOptions['credentials'] {
  const of = (who: string) => ({ ufrag: `${who}${at.port}`, pwd: `the password of the ${who} at ${at.port}` });
  const [dialer, listener] = [of('dial'), of('list')];
  return role === 'dialer' ? { mine: dialer, theirs: listener } : { mine: listener, theirs: dialer };
}

/** An address that is lent, on the wire as if it were a host. */
function lent(wire: Wire, port: number, transport: RelayedSocket['relay']['transport'] = 'turn-udp') {
  const local = endpoint('192.0.2.20', port);
  const { datagrams$, send, close } = wire.socket(local.address, port);
  let closed = false;
  const socket: RelayedSocket = {
    local,
    mapped: HERE.endpoint,
    relay: { name: `turn:192.0.2.20?${port}`, transport },
    datagrams$,
    send,
    permit: () => {},
    close() {
      closed = true;
      close();
    },
  };
  return { socket, isClosed: () => closed, break: () => (datagrams$ as Subject<Datagram>).error(new Error('broken')) };
}

const relay = (port: number): RemoteCandidate => signalled(candidate('relay', endpoint('192.0.2.20', port)));

describe('addresses at relays', () => {
  const wire = new Wire();
  let sides: { readonly link: RelayedLink }[] = [];
  afterEach(() => {
    for (const { link } of sides) link.forbid('the test is over');
    sides = [];
    wire.clock.advance(10);
    expect(wire.clock.pending).toBe(0);
  });

  function both(policy?: RuntimeOptions['policy']) {
    const [dialer, listener] = [side(wire, 'dialer', HERE, policy), side(wire, 'listener', THERE)];
    sides = [dialer, listener];
    return { dialer, listener };
  }

  const kinds = (paths: readonly DirectPath[]): string[] => paths.map(({ info }) => `${info.kind} ${info.transport}`);

  it('make relayed paths on both sides, each called by how its packets leave', async () => {
    const { dialer, listener } = both();
    dialer.tell(signalled(THERE));
    const found = dialer.link.offer(lent(wire, 7_001, 'turn-tcp').socket, 'turn', never);
    listener.tell(signalled(HERE), ...dialer.told);
    wire.clock.advance(500);
    expect(kinds(dialer.paths)).toEqual(['relayed turn-tcp']);
    expect(kinds(listener.paths)).toEqual(['relayed turn-udp']);
    expect(await found).toBe(dialer.paths[0]!.info.id);
    expect(dialer.paths[0]!.info).toMatchObject({
      local: '192.0.2.20:7001',
      remote: '203.0.113.2:6000',
      strategy: 'turn',
    });
  });

  it('give nobody a path who was not told of them, whatever comes from there', () => {
    const { dialer, listener } = both();
    dialer.tell(signalled(THERE));
    void dialer.link.offer(lent(wire, 7_002).socket, 'turn', never).catch(() => {});
    listener.tell(signalled(HERE));
    wire.clock.advance(20_000);
    expect([dialer.paths, listener.paths]).toEqual([[], []]);
  });

  it('of the other side are checked by whoever hides its own from its own at a relay only', () => {
    const { dialer, listener } = both('relay-only');
    const before = wire.sent.get(formatEndpoint(HERE.endpoint));
    dialer.tell(relay(7_003));
    wire.clock.advance(2_000);
    expect(wire.sent.get(formatEndpoint(HERE.endpoint))).toBe(before);
    void listener.link.offer(lent(wire, 7_003).socket, 'turn', never);
    void dialer.link.offer(lent(wire, 7_004).socket, 'turn', never);
    listener.tell(...dialer.told);
    wire.clock.advance(2_000);
    expect(dialer.paths.map(({ info }) => `${info.local} ${info.remote}`).sort()).toEqual([
      '192.0.2.20:7004 192.0.2.20:7003',
      '192.0.2.20:7004 203.0.113.2:6000',
    ]);
    expect(wire.sent.get(formatEndpoint(HERE.endpoint))).toBe(before);
  });

  it('are given back when another one takes their place, unless they have a path', async () => {
    const { dialer, listener } = both();
    dialer.tell(signalled(THERE));
    const [first, second, third] = [lent(wire, 7_005), lent(wire, 7_006), lent(wire, 7_007)];
    const offers = [first, second].map(({ socket }) => dialer.link.offer(socket, 'turn', never));
    await expect(offers[0]).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    listener.tell(signalled(HERE), ...dialer.told);
    wire.clock.advance(500);
    void dialer.link.offer(third.socket, 'turn', never).catch(() => {});
    expect([first, second, third].map(({ isClosed }) => isClosed())).toEqual([true, false, false]);
    expect(dialer.link.candidates).toHaveLength(2);
  });

  it('lose their paths when they break, and are ours no more', async () => {
    const { dialer, listener } = both();
    dialer.tell(signalled(THERE));
    const address = lent(wire, 7_008);
    void dialer.link.offer(address.socket, 'turn', never);
    listener.tell(signalled(HERE), ...dialer.told);
    wire.clock.advance(500);
    address.break();
    await Promise.resolve();
    expect(dialer.lost).toEqual(['broken']);
    expect(dialer.link.candidates).toEqual([]);
  });

  it('stay when nobody waits any more while there is no path at all: a late candidate may still make one', async () => {
    const { dialer, listener } = both();
    const abort = new AbortController();
    const address = lent(wire, 7_009);
    const found = dialer.link.offer(address.socket, 'turn', abort.signal);
    abort.abort(new Error('too late'));
    await expect(found).rejects.toThrow('too late');
    dialer.tell(signalled(THERE));
    listener.tell(signalled(HERE), ...dialer.told);
    wire.clock.advance(500);
    expect(kinds(dialer.paths)).toEqual(['relayed turn-udp']);
  });

  it('are refused, and given back, once relays are forbidden', async () => {
    const { dialer } = both();
    const [before, after] = [lent(wire, 7_010), lent(wire, 7_011)];
    const found = dialer.link.offer(before.socket, 'turn', never);
    dialer.link.forbid('the other side refuses relays');
    await expect(found).rejects.toMatchObject({ code: 'ERR_ABORTED', message: 'the other side refuses relays' });
    await expect(dialer.link.offer(after.socket, 'turn', never)).rejects.toMatchObject({ code: 'ERR_NOT_AVAILABLE' });
    expect([before.isClosed(), after.isClosed()]).toEqual([true, true]);
    dialer.tell(relay(7_012));
    expect(wire.clock.pending).toBe(0);
  });

  it.each([
    ['of port 0', { port: 0 }],
    ['of this host', { address: '127.0.0.1' }],
    ['that is none', { address: '224.0.0.1' }],
  ])('are given back, and not told, when one is lent %s', async (_, fault) => {
    const { dialer } = both();
    const { socket, isClosed } = lent(wire, 7_013);
    const faulty = { ...socket, local: { ...socket.local, ...fault } };
    await expect(dialer.link.offer(faulty, 'turn', never)).rejects.toMatchObject({
      code: 'ERR_NOT_AVAILABLE',
      message: expect.stringContaining('nobody could send to'),
    });
    expect([dialer.told, dialer.link.candidates, isClosed()]).toEqual([[], [], true]);
  });

  it('of the other side get checks four at a time, 32 packets each at most', () => {
    const { dialer } = both();
    const before = wire.sent.get(formatEndpoint(HERE.endpoint)) ?? 0;
    dialer.tell(...Array.from({ length: 32 }, (_, i) => relay(8_000 + i)));
    wire.clock.advance(60_000);
    expect((wire.sent.get(formatEndpoint(HERE.endpoint)) ?? 0) - before).toBeLessThanOrEqual(4 * 32);
  });
});
