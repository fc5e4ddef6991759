import { describe, expect, it } from 'vitest';
import { and, createActor, createMachine, not, setup, stateIn } from 'xstate';
import { connectionMachine, leaseMachine, peerMachine } from '../../src/machines/index.ts';
import type { ChartState } from '../../src/trace/chart-definition.ts';
import { edgeIds, edgesOf } from '../../src/trace/chart-edges.ts';
import { defineChart } from '../../src/trace/define-chart.ts';

const door = setup({
  guards: { hasKey: () => true, isStuck: () => false },
  actions: { ring: () => {} },
  delays: { patience: 100 },
}).createMachine({
  id: 'door',
  initial: 'shut',
  on: { 'house.burnt': '.gone' },
  states: {
    shut: {
      description: 'nobody gets in',
      tags: 'safe',
      entry: 'ring',
      on: {
        'handle.pressed': [
          { guard: and(['hasKey', not('isStuck')]), target: 'open', actions: 'ring' },
          { actions: ['ring', () => {}] },
        ],
      },
      after: { patience: 'open', 500: { target: 'gone', guard: () => false } },
      always: { guard: stateIn('gone'), target: 'gone' },
    },
    open: {
      type: 'parallel',
      states: { left: {}, right: { initial: 'in', states: { in: {}, out: { type: 'final' } } } },
    },
    gone: { type: 'final' },
  },
});

describe('a definition', () => {
  const { id, root } = defineChart(door);
  const [shut, open, gone] = root.states as [ChartState, ChartState, ChartState];

  it('has the states in the order of the code', () => {
    expect([id, root.id, root.key, root.initial]).toEqual(['door', '', 'door', 'shut']);
    expect(root.states.map(({ key, type }) => [key, type])).toEqual([
      ['shut', 'atomic'],
      ['open', 'parallel'],
      ['gone', 'final'],
    ]);
    expect(open.states.map(({ id, type, initial }) => [id, type, initial])).toEqual([
      ['open.left', 'atomic', undefined],
      ['open.right', 'compound', 'open.right.in'],
    ]);
    expect(gone.edges).toEqual([]);
    expect([shut.description, shut.tags, shut.entry]).toEqual(['nobody gets in', ['safe'], ['ring']]);
  });

  it('has the edges with guards, delays and actions by the names of the code', () => {
    expect(root.edges).toEqual([{ event: 'house.burnt', targets: ['gone'] }]);
    expect(shut.edges.slice(0, 2)).toEqual([
      { event: 'handle.pressed', guard: 'and(hasKey, not(isStuck))', targets: ['open'], actions: ['ring'] },
      { event: 'handle.pressed', targets: [], actions: ['ring', 'inline'] },
    ]);
    expect(shut.edges.slice(2, -1)).toHaveLength(2);
    expect(shut.edges.slice(2, -1)).toEqual(
      expect.arrayContaining([
        { event: 'after', delay: 'patience', targets: ['open'] },
        { event: 'after', delay: '500 ms', guard: 'inline', targets: ['gone'] },
      ]),
    );
    expect(shut.edges.at(-1)).toEqual({ event: '', guard: 'stateIn(gone)', targets: ['gone'] });
  });

  it('is plain data', () => {
    const definition = defineChart(door);
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
  });

  it('names who runs while a state is active', () => {
    const { root } = defineChart(connectionMachine);
    expect(root.states.find(({ key }) => key === 'connected')!.invoke).toEqual(['watch']);
  });

  it.each([
    ['peer', peerMachine],
    ['connection', connectionMachine],
    ['lease', leaseMachine],
  ] as const)('of the shipped chart %s leads to states that there are, and names all that it does', (_, machine) => {
    const definition = defineChart(machine);
    const states: ChartState[] = [];
    const collect = (state: ChartState): void => {
      states.push(state);
      state.states.forEach(collect);
    };
    collect(definition.root);
    const ids = new Set(states.map(({ id }) => id));
    expect(states.length).toBeGreaterThan(5);
    for (const { initial, edges } of states) {
      if (initial !== undefined) expect(ids).toContain(initial);
      for (const { targets } of edges) for (const target of targets) expect(ids).toContain(target);
    }
    expect(JSON.stringify(definition)).not.toContain('"guard":"inline"');
  });
});

describe('the edges that are taken', () => {
  it('are those of the definition', () => {
    const ids = edgeIds(door);
    const taken: string[] = [];
    const actor = createActor(door, {
      inspect(inspection) {
        if (inspection.type !== '@xstate.microstep') return;
        for (const transition of inspection._transitions) taken.push(ids(transition) ?? 'none');
      },
    }).start();
    taken.length = 0;
    actor.send({ type: 'handle.pressed' });
    actor.send({ type: 'house.burnt' });
    expect(taken).toEqual(['shut#0', '#0']);
  });

  it('have numbers for every edge of a state, once', () => {
    const machine = createMachine({ on: { a: '.x', b: { actions: () => {} } }, initial: 'x', states: { x: {} } });
    const ids = edgeIds(machine);
    expect(edgesOf(machine.root).map(ids)).toEqual(['#0', '#1']);
    expect(ids({})).toBeUndefined();
  });
});
