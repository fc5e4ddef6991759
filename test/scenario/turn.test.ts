import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/core/policy.ts';
import {
  type DialOutcome,
  homes,
  type Outcome,
  type PeerPlan,
  type RunEvent,
  type RunWatch,
  runScenario,
  type Scenario,
  type Site,
} from '../../src/scenario/index.ts';
import type { HostPlan, LinkSpec, NatSpec, NetworkSpec, Packet, PlannedEvent } from '../../src/sim/index.ts';

const EI_EI: NatSpec = { filtering: 'endpoint-independent' };
const EI_APD: NatSpec = {};
const APD_APD: NatSpec = { mapping: 'address-and-port-dependent' };
const NO_UDP: readonly NetworkSpec[] = [{ nat: {}, firewall: { outbound: [{ protocol: 'tcp', ports: [443, 3478] }] } }];

const TURN: HostPlan = {
  name: 'turn',
  interfaces: [{ network: 'internet', addresses: ['192.0.2.20'] }],
  services: [{ type: 'turn', users: { alice: 'wonderland' } }],
};
const TURN_ADDRESS = '192.0.2.20';
const SERVER_ADDRESS = '192.0.2.10';
const UDP = 'turn:alice:wonderland@turn';
const TCP = `${UDP}?transport=tcp`;

interface Meeting {
  readonly a?: Site;
  readonly b?: Site;
  /** TURN servers of the dialer and of the listener. */
  readonly turn: { readonly a?: string; readonly b?: string };
  readonly policy?: { readonly a?: Policy; readonly b?: Policy };
  /** Whether the rendezvous relays datagrams. */
  readonly relay?: boolean;
  readonly link?: LinkSpec;
  readonly seed?: number;
  /** More hosts on the internet, and what happens to them. */
  readonly hosts?: readonly HostPlan[];
  readonly events?: readonly PlannedEvent[];
  readonly lasts?: number;
}

function scenario(meeting: Meeting): Scenario {
  const { a = APD_APD, b = APD_APD, turn, policy = {}, relay = false, link, seed, events } = meeting;
  const { internet, peers, dials } = homes({ a, b, link, seed, mapping: false });
  const [server, ...hosts] = internet.hosts!;
  const services = server!.services!.map((one) => (one.type === 'rendezvous' ? { ...one, relay } : one));
  const plans = peers.map((peer): PeerPlan => {
    const name = peer.name as 'a' | 'b';
    return { ...peer, policy: policy[name], turn: turn[name] === undefined ? [] : [turn[name]] };
  });
  return {
    internet: { ...internet, hosts: [{ ...server!, services }, TURN, ...(meeting.hosts ?? []), ...hosts], events },
    peers: plans,
    dials: dials.map((dial) => ({ ...dial, lasts: meeting.lasts })),
  };
}

async function meet(meeting: Meeting, watch?: RunWatch): Promise<{ outcome: Outcome; dial: DialOutcome }> {
  const outcome = await runScenario(scenario(meeting), { watch });
  expect(outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
  return { outcome, dial: outcome.dials[0]! };
}

/** IP packets that were sent, by this host or by any. */
function packetsOf(events: readonly RunEvent[], host?: string): readonly Packet[] {
  return events.flatMap((event) => {
    if (event.type !== 'packet' || event.record.fate !== 'sent') return [];
    return host === undefined || event.record.place === host ? [event.record.packet] : [];
  });
}

/** Transports of the paths that each side had, as they came. */
function paths({ dialer, listener }: DialOutcome): readonly (readonly string[])[] {
  return [dialer, listener].map((side) =>
    side!.paths.flatMap(({ path }) => (path === undefined ? [] : [`${path.kind} ${path.transport}`])),
  );
}

describe('where the rendezvous relays nothing and no direct path can be made', () => {
  it.each<[string, Meeting['turn'], string, string]>([
    ['the dialer over UDP', { a: UDP }, 'relayed turn-udp', 'relayed turn-udp'],
    ['the dialer over TCP', { a: TCP }, 'relayed turn-tcp', 'relayed turn-udp'],
    ['the listener over UDP', { b: UDP }, 'relayed turn-udp', 'relayed turn-udp'],
    ['the listener over TCP', { b: TCP }, 'relayed turn-udp', 'relayed turn-tcp'],
  ])('a TURN server of %s is enough', async (_name, turn, ofDialer, ofListener) => {
    const { dial } = await meet({ turn });
    expect(dial).toMatchObject({ outcome: 'relayed', listener: { verdict: { outcome: 'relayed' } } });
    expect(paths(dial)).toEqual([[ofDialer], [ofListener]]);
    expect(dial.firstEcho).toBeLessThan(2_500);
  });

  it('each side having one, they end on a path over one of them', async () => {
    const { dial } = await meet({ turn: { a: UDP, b: UDP } });
    expect(dial).toMatchObject({ outcome: 'relayed', listener: { verdict: { outcome: 'relayed' } } });
    expect(new Set(paths(dial).flat())).toEqual(new Set(['relayed turn-udp']));
  });

  it('two sides without UDP meet at their servers, each over TCP', async () => {
    const { dial } = await meet({ a: NO_UDP, b: NO_UDP, turn: { a: TCP, b: TCP } });
    expect(paths(dial)).toEqual([['relayed turn-tcp'], ['relayed turn-tcp']]);
    expect(dial.dialer?.verdict?.candidates.remote).toContainEqual(expect.objectContaining({ type: 'relay' }));
  });

  it('a side without UDP is out of reach of the other one’s server, and the verdict says why', async () => {
    const { dial } = await meet({ a: APD_APD, b: NO_UDP, turn: { a: UDP } });
    expect(dial.outcome).toBe('failed');
    const attempt = dial.dialer!.verdict!.attempts.find(({ strategy }) => strategy === 'turn');
    expect(attempt).toMatchObject({ ok: false, reason: expect.stringContaining('turn:turn:3478?transport=udp') });
  });

  it('a direct path takes over all the same where there is one', async () => {
    const { dial } = await meet({ a: EI_APD, b: EI_APD, turn: { a: UDP, b: UDP } });
    expect(dial.outcome).toBe('direct');
    expect(paths(dial).map((side) => side.at(-1))).toEqual(['direct udp', 'direct udp']);
  });

  it('wrong credentials are a reason in the verdict, without them', async () => {
    const { dial } = await meet({ turn: { a: 'turn:alice:looking-glass@turn' } });
    const { attempts } = dial.dialer!.verdict!;
    expect(attempts).toContainEqual(
      expect.objectContaining({ strategy: 'turn', ok: false, reason: expect.stringContaining('401') }),
    );
    expect(JSON.stringify(dial)).not.toContain('looking-glass');
  });
});

describe('where the rendezvous relays', () => {
  it('it is not delayed by a TURN server, which is not asked for anything', async () => {
    const told: RunEvent[] = [];
    const watch = (event: RunEvent): void => void told.push(event);
    const [without, having] = [
      await runScenario(scenario({ turn: {}, relay: true })),
      await runScenario(scenario({ turn: { a: UDP, b: UDP }, relay: true }), { watch }),
    ];
    expect(having.dials[0]?.firstEcho).toBe(without.dials[0]?.firstEcho);
    expect(paths(having.dials[0]!)).toEqual([['relayed websocket'], ['relayed websocket']]);
    expect(packetsOf(told).filter(({ destination }) => destination.address === TURN_ADDRESS)).toEqual([]);
  });
});

describe('never called direct', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('whatever is lost or late on the way (seed %d)', async (seed) => {
    const plan = scenario({ turn: { a: UDP, b: UDP }, link: { latency: 20, jitter: 60, loss: 0.1 }, seed });
    const kinds: string[] = [];
    const outcome = await runScenario(plan, {
      watch: (event) => {
        if (event.type === 'path' && event.path !== undefined) kinds.push(event.path.kind);
      },
    });
    expect(outcome.dials[0]?.outcome).toBe('relayed');
    expect(new Set(kinds)).toEqual(new Set(['relayed']));
    expect(outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
  });
});

describe('who hides its addresses', () => {
  it.each<[string, Meeting]>([
    ['the dialer', { a: EI_EI, b: EI_EI, turn: { a: UDP }, policy: { a: 'relay-only' } }],
    ['the listener', { a: EI_EI, b: EI_EI, turn: { b: UDP }, policy: { b: 'relay-only' } }],
    ['both', { a: EI_EI, b: EI_EI, turn: { a: UDP, b: UDP }, policy: { a: 'relay-only', b: 'relay-only' } }],
  ])('%s: tells of relays only, and sends the other side nothing but from there', async (_name, meeting) => {
    const told: RunEvent[] = [];
    const { outcome, dial } = await meet(meeting, (event) => told.push(event));
    expect(dial).toMatchObject({ outcome: 'relayed', listener: { verdict: { outcome: 'relayed' } } });
    expect(outcome.dials[0]?.error).toBeUndefined();
    for (const [hiding, seen] of [
      ['a', dial.listener],
      ['b', dial.dialer],
    ] as const) {
      if (meeting.policy?.[hiding] === undefined) continue;
      expect(new Set(seen?.verdict?.candidates.remote.map(({ type }) => type))).toEqual(new Set(['relay']));
      const destinations = packetsOf(told, hiding).map(({ destination }) => destination.address);
      expect(new Set(destinations)).toEqual(new Set([SERVER_ADDRESS, TURN_ADDRESS]));
    }
  });

  it('and has no server of its own, does not go to the other side’s by itself', async () => {
    const told: RunEvent[] = [];
    const { dial } = await meet({ turn: { b: UDP }, policy: { a: 'relay-only' } }, (event) => told.push(event));
    expect(dial.outcome).toBe('failed');
    expect(packetsOf(told, 'a').filter(({ destination }) => destination.address === TURN_ADDRESS)).toEqual([]);
  });

  it('and who refuses relays, do not meet; a server is not used for who refuses them', async () => {
    const { dial } = await meet({ turn: { a: UDP }, policy: { b: 'direct-only' } });
    expect(dial.outcome).toBe('failed');
    expect(paths(dial)).toEqual([[], []]);
  });
});

describe('a TURN server that dies', () => {
  const dies: PlannedEvent = { at: 12_000, type: 'link', state: 'down', network: 'internet', host: 'turn' };

  it('leaves the connection recovering, until it is back', async () => {
    const back: PlannedEvent = { at: 40_000, type: 'link', state: 'up', network: 'internet', host: 'turn' };
    const { dial } = await meet({ turn: { a: UDP }, events: [dies, back], lasts: 90_000 });
    const states = dial.dialer!.stages.map(({ state }) => (typeof state === 'string' ? state : Object.keys(state)[0]));
    expect(states).toContain('recovering');
    expect(states.at(-2)).toBe('connected');
    expect(dial.outcome).toBe('relayed');
  });

  it('gives way to the server of the other side', async () => {
    const other: HostPlan = { ...TURN, name: 'other', interfaces: [{ network: 'internet' }] };
    const { dial } = await meet({
      turn: { a: UDP, b: 'turn:alice:wonderland@other' },
      hosts: [other],
      events: [dies],
      lasts: 60_000,
    });
    expect(dial.outcome).toBe('relayed');
    expect(dial.dialer!.paths.at(-1)?.path?.remote).not.toContain(TURN_ADDRESS);
    expect(dial.dialer!.paths.at(-1)?.path?.local).not.toContain(TURN_ADDRESS);
  });
});
