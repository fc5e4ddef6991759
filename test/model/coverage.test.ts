import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, and, assign, createActor, type InspectionEvent, not, setup } from 'xstate';
import { coverage } from '../../src/testing/index.ts';

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

  test('as text', () => {
    const [head, row] = cover(['knock', 'ring']).report().text().split('\n');
    expect(head).toBe('chart  states        transitions    guards');
    expect(row).toBe('door   6/9 (66.6 %)  3/11 (27.2 %)  2/10 (20 %)');
  });

  test('as a picture with a box for each state and a line for each transition', () => {
    const svg = cover(['knock', 'ring']).report().svg();
    expect(svg.match(/class="state/g)).toHaveLength(10);
    expect(svg.match(/class="state missed/g)).toHaveLength(3);
    expect(svg.match(/<text class="(hit|partly|missed)"/g)).toHaveLength(11);
    expect(svg).toContain('knock [often] → open · 0');
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
  });
});
