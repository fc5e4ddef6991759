import { describe, expect, it } from 'vitest';
import {
  type DialOutcome,
  homes,
  type Pong,
  runScenario,
  type SideOutcome,
  type Site,
} from '../../src/scenario/index.ts';
import type { NatSpec, WorldEvent } from '../../src/sim/index.ts';

/** As Linux with ports drawn at random: a mapping that is made anew has another port. */
const RANDOM: NatSpec = { pinning: true, portReuse: 'overlapping', tcp: { pickUp: true, unsolicitedSyn: 'drop' } };
/** ms since the dial at which the event happens. */
const EVENT = 4_000;

interface Happening {
  readonly site: Site;
  readonly event: WorldEvent;
  /** ms after the event that it is undone. */
  readonly undone?: { readonly after: number; readonly event: WorldEvent };
  /** ms since the dial. */
  readonly lasts?: number;
}

/** Two homes of one kind that ping each other ten times a second, and what happens to them in the middle. */
async function endure({ site, event, undone, lasts = 20_000 }: Happening): Promise<DialOutcome> {
  const { internet, dials, ...scenario } = homes({ a: site, b: site });
  const events = [{ at: 2_000 + EVENT, ...event }];
  if (undone !== undefined) events.push({ at: 2_000 + EVENT + undone.after, ...undone.event });
  const outcome = await runScenario({
    ...scenario,
    internet: { ...internet, events },
    dials: dials.map((dial) => ({ ...dial, lasts, pingEvery: 100 })),
    until: 400_000,
  });
  expect(outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
  const [dial] = outcome.dials;
  expect(
    dial!.pongs.map(({ seq }) => seq),
    'no pong is lost or repeated',
  ).toEqual(dial!.pongs.map((_, i) => i + 1));
  return dial!;
}

/** The first ping that was sent after the event and came back, and went on from there on. */
function recovery({ pongs }: DialOutcome, kind: Pong['kind']): number {
  const last = pongs.findLastIndex((pong) => pong.kind !== kind || pong.sentAt < EVENT);
  const first = pongs[last + 1];
  if (first === undefined) throw new Error(`never ${kind} again`);
  return first.sentAt + first.rtt - EVENT;
}

/** Changes of the chart after the event, without that at the end of the run. */
const changes = (side: SideOutcome | undefined): string[] =>
  side!.stages
    .filter(({ at, state }) => at > EVENT && typeof state === 'object')
    .map(({ state }) => JSON.stringify(state));

const SUSPECT = '{"connected":{"path":"direct","liveness":"suspect"}}';
const FRESH = '{"connected":{"path":"direct","liveness":"fresh"}}';

describe('while two peers are connected', () => {
  it.each<[string, WorldEvent]>([
    ['the NAT of the dialer', { type: 'rebind', network: 'a-home' }],
    ['the NAT of the listener', { type: 'rebind', network: 'b-home' }],
  ])('%s forgets its mappings: found again at its new port, and no restlessness afterwards', async (_, event) => {
    const dial = await endure({ site: RANDOM, event });
    expect(recovery(dial, 'direct')).toBeLessThan(1_200);
    for (const side of [dial.dialer, dial.listener]) expect(changes(side)).toEqual([SUSPECT, FRESH]);
  });

  it('a NAT that keeps ports forgets its mappings: what is under way just then is lost, no more', async () => {
    const dial = await endure({ site: 'linux', event: { type: 'rebind', network: 'a-home' } });
    for (const side of [dial.dialer, dial.listener]) expect(changes(side)).toEqual([]);
    const slow = dial.pongs.filter(({ rtt }) => rtt !== 80);
    expect(slow.map(({ seq }) => seq)).toHaveLength(1);
    expect(slow[0]!.rtt).toBeLessThan(300);
  });

  it('a line goes down for half a second: suspected, no more', async () => {
    const [event, back] = (['down', 'up'] as const).map(
      (state) => ({ type: 'link', state, network: 'a-home' }) as const,
    );
    const dial = await endure({ site: 'linux', event: event!, undone: { after: 500, event: back! } });
    expect(recovery(dial, 'direct')).toBeLessThan(1_200);
    for (const side of [dial.dialer, dial.listener]) expect(changes(side)).toEqual([SUSPECT, FRESH]);
  });

  it('a line goes down for ten seconds: the session recovers when it is back', async () => {
    const [event, back] = (['down', 'up'] as const).map(
      (state) => ({ type: 'link', state, network: 'a-home' }) as const,
    );
    const dial = await endure({ site: 'linux', event: event!, undone: { after: 10_000, event: back! }, lasts: 40_000 });
    expect(recovery(dial, 'direct') - 10_000).toBeLessThan(4_000);
    expect(dial.outcome).toBe('direct');
  });

  it('a line goes down for good: given up after two minutes of looking', async () => {
    const dial = await endure({
      site: 'linux',
      event: { type: 'link', state: 'down', network: 'a-home' },
      lasts: 300_000,
    });
    expect(dial.outcome).toBe('failed');
    expect(dial.dialer?.verdict?.code).toBe('ERR_PEER_GONE');
    const recovering = dial.dialer?.stages.findLast(({ state }) => JSON.stringify(state).includes('recovering'));
    const failed = dial.dialer?.stages.at(-1);
    expect(failed?.state).toBe('failed');
    expect(failed!.at - recovering!.at).toBe(120_000);
  });

  it('the dialer roams to another network: the same session goes on from there', async () => {
    const event = { type: 'roam', host: 'a', from: 'a-home', to: 'internet' } as const;
    const dial = await endure({ site: 'linux', event, lasts: 40_000 });
    expect(dial.outcome).toBe('direct');
    expect(dial.path?.local).not.toBe(dial.dialer?.paths.find(({ path }) => path?.kind === 'direct')?.path?.local);
    // Its TCP connection to the server has lost its address without a word, and has to be given up first.
    expect(recovery(dial, 'direct')).toBeLessThan(20_000);
  });

  it('the server restarts: a direct connection takes no notice', async () => {
    const dial = await endure({ site: 'linux', event: { type: 'restart', host: 'server', downFor: 5_000 } });
    for (const side of [dial.dialer, dial.listener]) expect(changes(side)).toEqual([]);
    expect(Math.max(...dial.pongs.map(({ rtt }) => rtt))).toBe(80);
  });

  it('the server restarts: a relayed connection comes back with it', async () => {
    const dial = await endure({
      site: 'hotel-wifi',
      event: { type: 'restart', host: 'server', downFor: 5_000 },
      lasts: 40_000,
    });
    expect(recovery(dial, 'relayed') - 5_000).toBeLessThan(5_000);
    expect(dial.outcome).toBe('relayed');
  });

  it.each<[Site, string]>([
    ['linux', 'direct'],
    ['hotel-wifi', 'relayed'],
  ])('the listener is killed, %s: the other side says so within seconds', async (site, kind) => {
    const dial = await endure({ site, event: { type: 'restart', host: 'b' }, lasts: 60_000 });
    expect(dial.pongs.at(-1)?.kind).toBe(kind);
    expect(dial.outcome).toBe('failed');
    expect(dial.dialer?.verdict?.code).toBe('ERR_PEER_GONE');
    expect(dial.dialer!.stages.at(-1)!.at - EVENT).toBeLessThan(12_000);
    expect(dial.listener).toMatchObject({ verdict: undefined });
  });

  it('the dialer is killed: it says nothing any more, and the listener gives up', async () => {
    const dial = await endure({ site: 'linux', event: { type: 'restart', host: 'a' }, lasts: 60_000 });
    expect(dial).toMatchObject({ outcome: 'failed', dialer: { verdict: undefined } });
    expect(dial.listener?.verdict?.code).toBe('ERR_PEER_GONE');
    expect(dial.listener!.stages.at(-1)!.at - EVENT).toBeLessThan(12_000);
  });
});
