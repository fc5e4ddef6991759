import { describe, expect, test } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import {
  createTraversalModel,
  type Driver,
  type ModelEvent,
  ModelFailure,
  type TestPathOptions,
  testPath,
  testPaths,
} from '../../src/testing/index.ts';
import { type FakeDriverOptions, fakeDriver, side } from './fake-driver.ts';

const ROAMED: ModelEvent = { type: 'roamed', side: 'dialer' };

function run(events: readonly ModelEvent[], options: FakeDriverOptions = {}, more: TestPathOptions = {}) {
  const driver = fakeDriver(options);
  const model = createTraversalModel(defaultFlow, driver);
  const tested = testPath(model, driver, model.getPathFromEvents(events), more);
  return { driver, tested };
}

describe('a path', () => {
  test('is made to happen, event by event, and the world ends', async () => {
    const { driver, tested } = run(
      [{ type: 'dialed' }, { type: 'time.passed' }, ROAMED, { type: 'time.passed' }],
      {},
      { seed: 9 },
    );
    await tested;
    expect(driver.worlds.map(({ events, ended, seed }) => ({ events, ended, seed }))).toEqual([
      { events: [{ type: 'dialed' }, ROAMED], ended: 1, seed: 9 },
    ]);
  });

  test('fails where something else is seen for good', async () => {
    const flaw = (events: readonly ModelEvent[]) => (events.includes(ROAMED) ? { dialer: side('failed') } : undefined);
    const { driver, tested } = run([{ type: 'dialed' }, { type: 'time.passed' }, ROAMED, { type: 'time.passed' }], {
      flaw,
    });
    await expect(tested).rejects.toThrow(
      'After dialed, time.passed, roamed (dialer), time.passed: the model is connected.either, but the dialer is failed, not direct or relayed',
    );
    expect(driver.worlds[0]!.ended).toBe(1);
  });

  test('fails where an invariant does not hold', async () => {
    const flaw = () => ({ listener: side('none', { established: 2 }) });
    await expect(run([{ type: 'dialed' }], { flaw }).tested).rejects.toThrow(
      'After nothing: at most one winner: the listener',
    );
  });

  test('fails where something is left', async () => {
    const { tested } = run([{ type: 'dialed' }, { type: 'aborted' }], { remains: { timers: 1 } });
    await expect(tested).rejects.toThrow('At the end of dialed, aborted: nothing left: left: 1 timers');
  });

  test('says how to see it again', async () => {
    const { tested } = run([{ type: 'dialed' }, ROAMED], { remains: { sockets: 2 } }, { seed: 4 });
    const failure = await tested.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelFailure);
    const { message, run: failed } = failure as ModelFailure;
    expect(failed).toMatchObject({ seed: 4, at: 2, driver: 'fakeDriver()' });
    expect(message).toContain(`test('nothing left: left: 2 sockets', async () => {
  const driver = fakeDriver();
  const model = createTraversalModel(flow, driver);
  const steps: ModelStep[] = [
    { event: { type: 'dialed' }, pause: 100 },
    { event: { type: 'roamed', side: 'dialer' }, pause: 100 },
  ];
  await testPath(model, driver, { steps }, { seed: 4 });
}, 60_000);`);
  });

  test('is judged by the invariants that are given', async () => {
    const never = { name: 'never', check: () => 'it is so' };
    await expect(run([], {}, { invariants: [never] }).tested).rejects.toThrow('After nothing: never: it is so');
    await run([{ type: 'dialed' }], { remains: { timers: 1 } }, { invariants: [] }).tested;
  });
});

test('testPaths states a test for each path', async () => {
  const driver = fakeDriver();
  const model = createTraversalModel(defaultFlow, driver);
  const stated: [string, () => Promise<void>][] = [];
  testPaths(model, driver, { test: (title, body) => stated.push([title, body]), seed: 3 });
  expect(stated.map(([title]) => title)).toEqual(
    model.getShortestPaths().map(({ description }) => `fake: ${description}`),
  );
  for (const [, body] of stated) await body();
  expect(driver.worlds).toHaveLength(stated.length);
  expect(driver.worlds.every(({ seed, ended }) => seed === 3 && ended === 1)).toBe(true);
});

test('an error of the driver is its own', async () => {
  const driver: Driver = { ...fakeDriver(), start: () => Promise.reject(new Error('no sockets left')) };
  const model = createTraversalModel(defaultFlow, driver);
  await expect(testPath(model, driver, { steps: [] })).rejects.toThrow('no sockets left');
});

test('an error in the midst of things is not hidden by what is left then', async () => {
  const driver = fakeDriver({ remains: { sockets: 3 } });
  const model = createTraversalModel(defaultFlow, driver);
  const spoiled: Driver = {
    ...driver,
    start: async (setup) =>
      Object.assign(await driver.start(setup), { perform: () => Promise.reject(new Error('pulled')) }),
  };
  await expect(testPath(model, spoiled, model.getPathFromEvents([{ type: 'dialed' }]))).rejects.toThrow(/^pulled$/);
  expect(driver.worlds.map(({ ended }) => ended)).toEqual([1]);
});

test('a world that does not end either is told of as well', async () => {
  const driver = fakeDriver({ flaw: () => ({ dialer: side('none', { established: 2 }) }) });
  const model = createTraversalModel(defaultFlow, driver);
  const spoiled: Driver = {
    ...driver,
    start: async (setup) => Object.assign(await driver.start(setup), { end: () => Promise.reject(new Error('stuck')) }),
  };
  const failure = await testPath(model, spoiled, { steps: [] }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AggregateError);
  expect((failure as AggregateError).errors).toEqual([expect.any(ModelFailure), new Error('stuck')]);
});
