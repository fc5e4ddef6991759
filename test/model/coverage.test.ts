import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, and, assign, createActor, fromPromise, type InspectionEvent, not, setup } from 'xstate';
import {
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  interfaces,
  relay,
  type StrategyInput,
  type StrategyResult,
  sequence,
} from '../../src/index.ts';
import { chartsOf, coverage, createTraversalModel, simulatorDriver, testPath } from '../../src/testing/index.ts';

/** A door with a lock, a bell beside it, and a counter of knocks. */
const door = setup({
  types: {
    context: {} as { knocks: number },
    events: {} as { type: 'knock' | 'push' | 'lock' | 'ring' | 'house.burns' },
  },
  actions: { count: assign({ knocks: ({ context }) => context.knocks + 1 }) },
  guards: {
    often: ({ context }) => context.knocks >= 2,
    never: () => false,
  },
}).createMachine({
  id: 'door',
  context: { knocks: 0 },
  type: 'parallel',
  on: { 'house.*': '.leaf.gone', push: { actions: 'count' } },
  states: {
    leaf: {
      initial: 'hung',
      states: {
        hung: { always: 'shut' },
        shut: {
          description: 'and not locked',
          on: {
            knock: [{ guard: 'never', target: 'gone' }, { guard: 'often', target: 'open' }, { actions: 'count' }],
            lock: { guard: and(['often', not('never')]), target: 'locked' },
          },
        },
        locked: { on: { push: { guard: 'never', target: 'open' } } },
        open: { always: { guard: ({ context }) => context.knocks > 100, target: 'gone' } },
        gone: { type: 'final' },
      },
    },
    bell: {
      initial: 'silent',
      states: { silent: { on: { ring: 'ringing' } }, ringing: { on: { push: 'silent' } } },
    },
  },
});

type Type = 'knock' | 'push' | 'lock' | 'ring' | 'house.burns';

function cover(events: readonly Type[], machine: AnyStateMachine = door) {
  const collector = coverage([door]);
  const actor = createActor(machine, { inspect: collector.inspect }).start();
  for (const type of events) actor.send({ type });
  return collector;
}

function transitionsOf(events: readonly Type[], machine?: AnyStateMachine) {
  const [chart] = cover(events, machine).report().charts;
  const told = chart!.transitions.map(({ source, event, targets, hits, guard }) => {
    const target = targets.length === 0 ? '' : ` > ${targets.join()}`;
    return [`${source} ${event}${target}`, hits, guard && [guard.name, guard.yes, guard.no]] as const;
  });
  return told.filter(([, hits, guard]) => hits > 0 || guard !== undefined);
}

describe('coverage', () => {
  test('counts states when they are entered, those that are left at once too', () => {
    const [chart] = cover(['ring', 'push', 'ring']).report().charts;
    expect(Object.fromEntries(chart!.states.map(({ id, hits }) => [id, hits]))).toEqual({
      'door.leaf': 1,
      'door.leaf.hung': 1,
      'door.leaf.shut': 1,
      'door.leaf.locked': 0,
      'door.leaf.open': 0,
      'door.leaf.gone': 0,
      'door.bell': 1,
      'door.bell.silent': 2,
      'door.bell.ringing': 2,
    });
  });

  test('counts transitions, and what guards have answered', () => {
    expect(transitionsOf(['knock', 'knock', 'knock'])).toEqual([
      ['door.leaf.hung  > door.leaf.shut', 1, undefined],
      ['door.leaf.shut knock > door.leaf.gone', 0, ['never', 0, 3]],
      ['door.leaf.shut knock > door.leaf.open', 1, ['often', 1, 2]],
      ['door.leaf.shut knock', 2, undefined],
      ['door.leaf.shut lock > door.leaf.locked', 0, ['and(often, not(never))', 0, 0]],
      ['door.leaf.locked push > door.leaf.open', 0, ['never', 0, 0]],
      ['door.leaf.open  > door.leaf.gone', 0, ['condition', 0, 1]],
    ]);
  });

  test('asks parents only where no region has an answer', () => {
    // The bell takes the first push, the door the second one.
    const counts = Object.fromEntries(transitionsOf(['ring', 'push', 'push']).map(([name, hits]) => [name, hits]));
    expect(counts['door.bell.ringing push > door.bell.silent']).toBe(1);
    expect(counts['door push']).toBe(1);
  });

  test('knows descriptors with a star', () => {
    expect(transitionsOf(['house.burns']).find(([name]) => name.startsWith('door house'))).toEqual([
      'door house.* > door.leaf.gone',
      1,
      undefined,
    ]);
  });

  test('counts what the guards themselves would count', () => {
    const asked: Record<string, [number, number]> = { often: [0, 0], never: [0, 0] };
    const counted = (name: string, guard: (knocks: number) => boolean) => (args: { context: { knocks: number } }) => {
      const answer = guard(args.context.knocks);
      asked[name]![answer ? 0 : 1]++;
      return answer;
    };
    const machine = door.provide({
      guards: { often: counted('often', (knocks) => knocks >= 2), never: counted('never', () => false) },
    });
    const told = transitionsOf(['knock', 'push', 'ring', 'push', 'knock', 'knock'], machine);
    const sum = (name: string): [number, number] => {
      const answers = told.flatMap(([, , guard]) => (guard?.[0] === name ? [guard] : []));
      return [
        answers.reduce((n, [, yes]) => n + (yes as number), 0),
        answers.reduce((n, [, , no]) => n + (no as number), 0),
      ];
    };
    expect(sum('never')).toEqual(asked.never);
    expect(sum('often')).toEqual(asked.often);
  });

  test('leaves out charts that it was not given', () => {
    const other = setup({}).createMachine({ id: 'window', initial: 'shut', states: { shut: {} } });
    expect(
      cover([], other)
        .report()
        .charts[0]!.states.every(({ hits }) => hits === 0),
    ).toBe(true);
  });

  test('leaves out charts of the same name with other states', () => {
    const other = setup({}).createMachine({ id: 'door', initial: 'leaf', states: { leaf: {} } });
    const [chart] = cover([], other).report().charts;
    expect(chart!.states.every(({ hits }) => hits === 0)).toBe(true);
  });

  test('takes in what another collector has seen', () => {
    const both = cover(['knock']);
    both.merge(JSON.parse(JSON.stringify(cover(['knock', 'ring']).report().json())));
    const [chart] = both.report().charts;
    const hits = (key: string) =>
      chart!.transitions.find((one) => `${one.source} ${one.event}` === key && !one.guard)!.hits;
    expect(hits('door.leaf.shut knock')).toBe(2);
    expect(hits('door.bell.silent ring')).toBe(1);
    expect(chart!.transitions.find(({ guard }) => guard?.name === 'often')!.guard).toEqual({
      name: 'often',
      yes: 0,
      no: 2,
    });
  });

  test('sees actors that are inspected from the middle on', () => {
    const collector = coverage([door]);
    const inspectors: ((event: InspectionEvent) => void)[] = [];
    const actor = createActor(door, { inspect: (event) => inspectors[0]?.(event) }).start();
    inspectors.push(collector.inspect);
    actor.send({ type: 'ring' });
    const [chart] = collector.report().charts;
    expect(chart!.states.filter(({ hits }) => hits > 0).map(({ id }) => id)).toContain('door.bell.ringing');
  });
});

describe('its report', () => {
  test('says what is missing', () => {
    expect(cover(['knock', 'ring']).report().missing).toEqual([
      'door: never in door.leaf.locked',
      'door: never in door.leaf.open',
      'door: never in door.leaf.gone',
      'door: never taken: door: house.* to door.leaf.gone',
      'door: never taken: door: push',
      'door: never taken: door.leaf.shut: knock [never] to door.leaf.gone',
      'door: never taken: door.leaf.shut: knock [often] to door.leaf.open',
      'door: never taken: door.leaf.shut: lock [and(often, not(never))] to door.leaf.locked',
      'door: never taken: door.leaf.locked: push [never] to door.leaf.open',
      'door: never taken: door.leaf.open: always [condition] to door.leaf.gone',
      'door: never taken: door.bell.ringing: push to door.bell.silent',
      'door: its guard never failed: door.leaf.shut: lock [and(often, not(never))] to door.leaf.locked',
      'door: its guard never failed: door.leaf.locked: push [never] to door.leaf.open',
      'door: its guard never failed: door.leaf.open: always [condition] to door.leaf.gone',
    ]);
  });

  test('has words for the events of XState', () => {
    const machine = setup({ actors: { look: fromPromise(async () => {}) }, delays: { patience: 5 } }).createMachine({
      id: 'watch',
      initial: 'looking',
      states: {
        looking: { invoke: { src: 'look', id: 'look', onDone: 'seen' }, after: { patience: 'seen' } },
        seen: {
          invoke: { src: 'look', onError: 'looking' },
          initial: 'known',
          states: { known: { type: 'final' } },
          onDone: 'looking',
        },
      },
    });
    const missing = coverage([machine])
      .report()
      .missing.filter((part) => part.includes('never taken'));
    expect(missing).toEqual([
      'watch: never taken: watch.looking: look done to watch.seen',
      'watch: never taken: watch.looking: after patience to watch.seen',
      'watch: never taken: watch.seen: done to watch.looking',
      'watch: never taken: watch.seen: actor failed to watch.looking',
    ]);
  });

  test('as text', () => {
    const [head, row] = cover(['knock', 'ring']).report().text().split('\n');
    expect(head).toBe('chart  states        transitions    guards');
    expect(row).toBe('door   6/9 (66.6 %)  3/11 (27.2 %)  2/10 (20 %)');
  });

  test('as a picture with a box for each state and a line for each transition', () => {
    const svg = cover(['knock', 'ring']).report().svg();
    expect(svg.match(/class="state/g)).toHaveLength(10);
    expect(svg.match(/class="state missed/g)).toHaveLength(3);
    const legend = ['reached · how often', 'reached, but its guard never failed', 'never reached'];
    for (const text of legend) expect(svg).toContain(`>${text}</text>`);
    expect(svg.match(/<text class="(hit|partly|missed)"/g)).toHaveLength(11 + legend.length);
    expect(svg).toContain('>door: states 6/9 (66.6 %), transitions 3/11 (27.2 %), guards 2/10 (20 %)</text>');
    expect(svg).toMatch(/viewBox="0 0 \d+ \d+" width="\d+" height="\d+"/);
    expect(svg).toContain('knock [often] → open · 0');
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
  });
});

describe('wrong use', () => {
  const other = setup({}).createMachine({ id: 'door', initial: 'shut', states: { shut: {} } });

  test.each<[string, () => unknown, string]>([
    ['a flow', () => coverage(defaultFlow as never), 'charts: must be a list of machines; chartsOf gives it'],
    ['nothing', () => coverage([]), 'charts: must be a list of machines'],
    ['what is no machine', () => coverage([door, 'door' as never]), 'charts[1]: is no machine'],
    ['two charts of one id', () => coverage([door, other]), 'charts[1]: another one has the id door, too'],
    ['charts of no flow', () => chartsOf(defaultFlow.spec as never), 'flow: an object is no flow; call defineFlow()?'],
    ['a merge of nothing', () => cover([]).merge({} as never), 'charts: must be a list'],
    ['a merge of no charts', () => cover([]).merge({ charts: [5] } as never), 'charts[0]: there is no chart undefined'],
    [
      'a merge of a chart that is not there',
      () => cover([]).merge(coverage(chartsOf(defaultFlow)).report().json()),
      'charts[0]: there is no chart connection here',
    ],
    [
      'a merge of a chart as it was once',
      () => cover([]).merge(coverage([other]).report().json()),
      'charts[0]: door has other states or transitions here',
    ],
  ])('%s', (_, use, message) => {
    expect(use).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }));
  });

  test('the same chart twice is one', () => {
    expect(coverage([door, door.provide({})]).report().charts).toHaveLength(1);
  });
});

describe('the charts of a flow', () => {
  const BOUNDS = { time: 20_000, packets: 0, sockets: 0 };
  const NEVER: StrategyResult<'direct'> = { ok: false, reason: 'it never does anything' };

  const machine = setup({
    types: { input: {} as StrategyInput<'direct'>, output: {} as StrategyResult<'direct'> },
    actors: { asking: fromPromise<string, StrategyInput<'direct'>>(({ input }) => input.env.checks()) },
  }).createMachine({
    id: 'mine',
    context: ({ input }) => ({ input }),
    initial: 'asking',
    states: {
      asking: {
        invoke: { src: 'asking', input: ({ context }) => context.input, onDone: 'given', onError: 'refused' },
      },
      given: { type: 'final' },
      refused: { type: 'final' },
    },
    output: { ok: false, reason: 'it only looks' },
  });
  const mine = defineStrategy({ name: 'mine', gives: 'direct', bounds: BOUNDS, machine });
  const flow = defineFlow({ discover: interfaces(), punch: sequence([mine, checks()]), fallback: relay() });

  test('are those of its strategies, too', () => {
    expect(chartsOf(flow).map(({ id }) => id)).toEqual(['connection', 'peer', 'discover', 'punch', 'fallback', 'mine']);
    expect(chartsOf(defaultFlow).map(({ id }) => id)).toContain('lease');
  });

  test('are hit in a run', async () => {
    const seen = coverage(chartsOf(flow));
    const model = createTraversalModel(flow, simulatorDriver({ a: 'public', b: 'public' }));
    const dial = model.getPathFromEvents([{ type: 'dialed' }, { type: 'time.passed' }]);
    await testPath(model, dial, { inspect: seen.inspect });
    const { states } = seen.report().charts.find(({ id }) => id === 'mine')!;
    expect(Object.fromEntries(states.map(({ key, hits }) => [key, hits > 0]))).toEqual({
      asking: true,
      given: true,
      refused: false,
    });
  });

  test("a strategy's machine may have the id of a composed one", async () => {
    const namesake = setup({
      types: { input: {} as StrategyInput<'direct'>, output: {} as StrategyResult<'direct'> },
    }).createMachine({ id: 'punch', initial: 'over', states: { over: { type: 'final' } }, output: NEVER });
    const idle = defineStrategy({ name: 'idle', gives: 'direct', bounds: BOUNDS, machine: namesake });
    const own = defineFlow({ discover: interfaces(), punch: sequence([idle, checks()]), fallback: relay() });
    const model = createTraversalModel(own, simulatorDriver({ a: 'public', b: 'public' }));
    await testPath(model, model.getPathFromEvents([{ type: 'dialed' }, { type: 'time.passed' }]));
    expect(() => coverage(chartsOf(own))).toThrow('another one has the id punch, too');
  });
});
