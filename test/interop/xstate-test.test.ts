/**
 * The model is a plain XState machine, so it also runs under `@xstate/test`, whose last release for XState 5 is 1.0.0-beta.5. Its 0.5.1 is
 * for XState 4; what became of it is `xstate/graph`, on which the test kit is built.
 */
import { createTestModel } from '@xstate/test';
import { describe, expect, test } from 'vitest';
import type { SnapshotFrom } from 'xstate';
import { defaultFlow } from '../../src/index.ts';
import {
  createTraversalModel,
  EVENTS,
  type ModelEvent,
  type ModelEventType,
  type Observation,
  simulatorDriver,
  type World,
} from '../../src/testing/index.ts';

const driver = simulatorDriver({ a: 'linux', b: 'linux' });
const types: readonly ModelEventType[] = ['dialed', 'time.passed', 'nat.rebound', 'aborted'];
const events = EVENTS.filter(({ type }) => types.includes(type));
const model = createTraversalModel(defaultFlow, driver, { events });
type Snapshot = SnapshotFrom<typeof model.machine>;

describe('under @xstate/test', () => {
  const testModel = createTestModel(model.machine, {
    events: events as ModelEvent[],
    // Its names for what `xstate/graph` calls `filterEvents` and `stopWhen`.
    filter: (_: Snapshot, { type }: ModelEvent) => types.includes(type),
    stopCondition: ({ status }: Snapshot) => status !== 'active',
  });

  for (const path of testModel.getShortestPaths()) {
    const [, ...steps] = path.steps.map(({ event }) =>
      'side' in event ? `${event.type} (${event.side})` : event.type,
    );
    test(`${steps.join(', ')}: ${JSON.stringify(path.state.value)}`, async () => {
      const world = await driver.start({ flow: defaultFlow, seed: 1 });
      await path.test(paramsIn(world));
      expect(await world.end()).toEqual({ timers: 0, sockets: 0, subscriptions: 0 });
    });
  }

  test('a dial that is none is noticed', async () => {
    const world = await driver.start({ flow: defaultFlow, seed: 1 });
    const [path] = testModel.getPathsFromEvents([{ type: 'dialed' }, { type: 'time.passed' }]);
    const { events, states } = paramsIn(world);
    const tested = path!.test({ events: { ...events, dialed: () => {} }, states });
    await expect(tested).rejects.toThrow("expected [ 'direct' ] to include 'none'");
    await world.end();
  });
});

/** How the events of the model are made to happen there, and what is held against its states. */
function paramsIn(world: World) {
  const perform = (step: { readonly event: { readonly type: string } }) => world.perform(step.event as ModelEvent);
  return {
    events: { dialed: perform, 'time.passed': () => world.pass(60_000), 'nat.rebound': perform, aborted: perform },
    states: { '*': (snapshot: Snapshot) => expectAllowed(world, snapshot) },
  };
}

async function expectAllowed(world: World, snapshot: Snapshot): Promise<void> {
  const { dialer, listener } = model.sees(snapshot);
  if (snapshot.status !== 'active') await world.pass(60_000);
  const seen: Observation = world.observe();
  expect(dialer).toContain(seen.dialer.sight);
  expect(listener).toContain(seen.listener.sight);
}
