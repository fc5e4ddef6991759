import { describe, expect, test } from 'vitest';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { type Account, accountOf, type SideAccount, type Step } from '../lab/agreement/account.ts';
import { CELLS, type Cell, type NatName } from '../lab/agreement/cell.ts';
import { differences } from '../lab/agreement/compare.ts';
import { report } from '../lab/agreement/report.ts';
import { runSimulated } from '../lab/agreement/simulated-run.ts';
import { NATS } from '../lab/net/nat.ts';
import { simulatedRouter } from '../lab/net/simulated-nat.ts';

// The laboratory compares the kernel with the simulator, as root. Here one simulation is compared with another that was changed.

test.each(['EI/EI x EI/EI', 'APD/APD x APD/APD', 'both on one LAN behind EI/APD', 'drops UDP x public'])(
  'two worlds of which one is slower agree on %s',
  async (name) => {
    const simulated = await runSimulated(cellNamed(name));
    expect(
      differences(
        {},
        simulated,
        paced(simulated, (at) => 3 * at + 100),
      ),
    ).toEqual([]);
  },
);

describe('a NAT that is another than it should be is noticed', () => {
  test.each<[string, NatName, NatName]>([
    ['APD/APD x EI/EI', 'EI/EI', 'EI/APD'],
    ['APD/APD x EI/AD', 'EI/AD', 'EI/APD'],
    ['EI/AD x APD/APD', 'EI/AD', 'EI/APD'],
    ['EI/APD x APD/APD', 'EI/APD', 'EI/AD'],
    ['APD/EI x APD/AD', 'APD/EI', 'APD/AD'],
    ['APD/EI x APD/APD', 'APD/EI', 'APD/APD'],
    ['APD/AD x APD/AD', 'APD/AD', 'APD/EI'],
    ['APD/APD x APD/APD', 'APD/APD', 'APD/EI'],
    ['EI/APD x EI/APD', 'EI/APD', 'APD/APD'],
    ['EI/APD x EI/APD', 'EI/APD', 'EI/APD, random ports'],
    ['public x drops UDP', 'drops UDP', 'EI/APD'],
    ['public x drops UDP', 'drops UDP', 'only TCP 443 out'],
    ['public x EI/APD behind APD/APD', 'APD/APD', 'EI/APD'],
  ])('%s, with %s that is %s', async (name, nat, planted) => {
    const cell = cellNamed(name);
    const changed = await runSimulated(cell, (each) => simulatedRouter(NATS[each === nat ? planted : each]));
    expect(differences(cell, await runSimulated(cell), changed)).not.toEqual([]);
  });

  test('conntrack’s way with clashes is what joins APD/EI and EI/APD', async () => {
    const cell = cellNamed('APD/EI x EI/APD');
    const changed = await runSimulated(cell, (each) => {
      const router = simulatedRouter(NATS[each]);
      return { ...router, nat: { ...router.nat, clashes: 'passed' } };
    });
    expect(differences(cell, await runSimulated(cell), changed)).toContain(
      'dialer: outcome is "direct" in the simulator, "relayed" in the kernel',
    );
  });
});

describe('of what differs, the comparison says', () => {
  test.each<[string, Partial<SideAccount>, string]>([
    ['an outcome', { outcome: 'failed' }, 'outcome is "direct" in the simulator, "failed" in the kernel'],
    ['a transport', { transport: 'tcp' }, 'transport is "udp" in the simulator, "tcp" in the kernel'],
    ['a type of candidate', { remoteType: 'prflx' }, 'remoteType is "srflx" in the simulator, "prflx" in the kernel'],
    ['candidates', { candidates: [] }, 'candidates is ["udp host"] in the simulator, [] in the kernel'],
  ])('%s', (_, change, text) => {
    expect(differences({}, account(), account(change))).toEqual([`dialer: ${text}`]);
  });

  test('a step that is missing, too many, or another', () => {
    const without = (value: string): Step[] => STEPS.filter((step) => step.value !== value);
    const course = (steps: readonly Step[]): string[] => differences({}, account(), account({ steps }));
    expect(course(without('direct'))).toEqual([
      'dialer: direct is waiting, then checking, then direct in the simulator, waiting, then checking in the kernel',
    ]);
    expect(course([...STEPS, step(900, 'direct', 'relayed')])).toHaveLength(1);
    expect(
      course([...without('closed'), step(900, 'connection', 'recovering'), step(950, 'connection', 'closed')]),
    ).toEqual([
      expect.stringContaining('dialer: connection is traversing, then connected, then closed in the simulator'),
    ]);
    expect(
      course(STEPS.map((each) => (each.value === 'unavailable' ? { ...each, value: 'mapped' } : each))),
    ).toHaveLength(1);
  });

  test('milestones in another order, unless they are a race', () => {
    const late = moved('direct', 'direct', 700);
    expect(differences({}, account({ steps: late }), account({ steps: moved('direct', 'direct', 150) }))).toEqual([
      'dialer: the relayed path comes first in the simulator, the direct path in the kernel',
    ]);
    expect(differences({}, account(), account({ steps: moved('direct', 'direct', 150) }))).toEqual([]);
    expect(differences({}, account(), account({ steps: moved('fallback', 'relayed', 300) }))).toEqual([]);
    expect(
      differences({}, account({ steps: late }), account({ steps: moved('fallback', 'relayed', 300, late) })),
    ).toEqual(['dialer: the relayed path comes first in the simulator, the session in the kernel']);
  });

  test('not what the start of the session has cut off', () => {
    const cut = STEPS.filter(({ value }) => value !== 'gathered' && value !== 'relayed');
    expect(differences({}, account(), account({ steps: cut }))).toEqual([]);
    expect(differences({}, account({ steps: cut }), account())).toEqual([]);
    const more = cut.filter(({ region }) => region !== 'discover');
    expect(differences({}, account(), account({ steps: more }))).toHaveLength(1);
  });

  test('not by which reflexive candidate, where first checks may cross', () => {
    const other = (remoteType: SideAccount['remoteType']): string[] =>
      differences({ checksMayCross: true }, account(), account({ remoteType }));
    expect(other('prflx')).toEqual([]);
    expect(other('host')).toHaveLength(1);
    expect(other(undefined)).toHaveLength(1);
  });
});

test.each<[string, readonly [number, string][], readonly string[]]>([
  [
    'before the end',
    [
      [0, 'connected'],
      [900, 'recovering'],
      [1000, 'closed'],
    ],
    ['connected', 'closed'],
  ],
  [
    'before the end, again and again',
    [
      [0, 'connected'],
      [900, 'recovering'],
      [910, 'connected'],
      [950, 'recovering'],
      [960, 'connected'],
      [1000, 'closed'],
    ],
    ['connected', 'closed'],
  ],
  [
    'for good',
    [
      [0, 'connected'],
      [900, 'recovering'],
      [1000, 'failed'],
    ],
    ['connected', 'recovering', 'failed'],
  ],
  [
    'long before',
    [
      [0, 'connected'],
      [100, 'recovering'],
      [200, 'connected'],
      [1000, 'closed'],
    ],
    ['connected', 'recovering', 'connected', 'closed'],
  ],
])('a relay that is lost %s', (_, states, told) => {
  const verdict: Verdict = {
    outcome: 'relayed',
    summary: '',
    paths: [],
    attempts: [],
    behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
    candidates: { local: [], remote: [] },
    advice: [],
  };
  const stages = states.map(([at, state]) => ({ at, state }));
  expect(accountOf({ stages, paths: [], verdict }, verdict).steps.map(({ value }) => value)).toEqual(told);
});

test('the report has a line for each cell, with the outcome and the times of both worlds', () => {
  const [cell] = CELLS;
  const comparison = { cell: cell!, simulated: account(), kernel: account({ outcome: 'relayed', steps: [] }) };
  const [, , line] = report([comparison]).split('\n');
  expect(line?.split(/ {2,}/)).toEqual([
    'EI/EI x EI/EI',
    'direct, udp',
    '240',
    '300',
    '260',
    'relayed, udp',
    '-',
    '300',
    '-',
  ]);
});

const STEPS: readonly Step[] = [
  step(0, 'connection', 'traversing'),
  step(0, 'discover', 'gathering'),
  step(0, 'map', 'unavailable'),
  step(0, 'direct', 'waiting'),
  step(0, 'fallback', 'allocating'),
  step(100, 'direct', 'checking'),
  step(160, 'discover', 'gathered'),
  step(200, 'fallback', 'relayed'),
  step(240, 'connection', 'connected'),
  step(260, 'direct', 'direct'),
  step(800, 'connection', 'closed'),
];

function account(dialer: Partial<SideAccount> = {}): Account {
  const side: SideAccount = {
    outcome: 'direct',
    transport: 'udp',
    remoteType: 'srflx',
    candidates: ['udp host'],
    nat: { mapping: 'endpoint-independent', portPreservation: true, translated: true },
    steps: STEPS,
  };
  return { dialer: { ...side, ...dialer }, listener: side, pong: 300 };
}

function step(at: number, region: Step['region'], value: string): Step {
  return { at, region, value };
}

function moved(region: Step['region'], value: string, at: number, steps = STEPS): Step[] {
  return steps.map((each) => (each.region === region && each.value === value ? { ...each, at } : each));
}

function paced({ dialer, listener, pong }: Account, pace: (at: number) => number): Account {
  const side = (account: SideAccount): SideAccount => ({
    ...account,
    steps: account.steps.map((each) => ({ ...each, at: pace(each.at) })),
  });
  return { dialer: side(dialer), listener: side(listener), pong: pong && pace(pong) };
}

function cellNamed(name: string): Cell {
  return CELLS.find((cell) => cell.name === name)!;
}
