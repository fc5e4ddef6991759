import { describe, expect, test } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import {
  createTraversalModel,
  type Driver,
  type ModelEvent,
  ModelFailure,
  type ModelPath,
  type TestPathOptions,
  type TestPathsOptions,
  testPath,
  testPaths,
} from '../../src/testing/index.ts';
import { type FakeDriverOptions, fakeDriver, side } from './fake-driver.ts';

const ROAMED: ModelEvent = { type: 'roamed', side: 'dialer' };

function run(events: readonly ModelEvent[], options: FakeDriverOptions = {}, more: TestPathOptions = {}) {
  const driver = fakeDriver(options);
  const model = createTraversalModel(defaultFlow, driver);
  const tested = testPath(model, model.getPathFromEvents(events), more);
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
    expect(failed).toMatchObject({ seed: 4, at: 2, model: 'createTraversalModel(flow, fakeDriver())' });
    expect(message).toContain(`test('nothing left: left: 2 sockets', async () => {
  const model = createTraversalModel(flow, fakeDriver());
  const steps: ModelStep[] = [
    { event: { type: 'dialed' }, pause: 100 },
    { event: { type: 'roamed', side: 'dialer' }, pause: 100 },
  ];
  await testPath(model, { steps }, { seed: 4 });
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
  const stated: [string, () => Promise<void>, number][] = [];
  testPaths(model, { test: (title, body, timeout) => stated.push([title, body, timeout]), seed: 3 });
  expect(stated.map(([title]) => title)).toEqual(
    model.getShortestPaths().map(({ description }) => `fake: ${description}`),
  );
  expect(new Set(stated.map(([, , timeout]) => timeout))).toEqual(new Set([2 * driver.bounds.rest]));
  for (const [, body] of stated) await body();
  expect(driver.worlds).toHaveLength(stated.length);
  expect(driver.worlds.every(({ seed, ended }) => seed === 3 && ended === 1)).toBe(true);
});

test('an error of the driver is its own', async () => {
  const driver: Driver = { ...fakeDriver(), start: () => Promise.reject(new Error('no sockets left')) };
  const model = createTraversalModel(defaultFlow, driver);
  await expect(testPath(model, { steps: [] })).rejects.toThrow('no sockets left');
});

test('an error in the midst of things is not hidden by what is left then', async () => {
  const driver = fakeDriver({ remains: { sockets: 3 } });
  const spoiled: Driver = {
    ...driver,
    start: async (setup) =>
      Object.assign(await driver.start(setup), { perform: () => Promise.reject(new Error('pulled')) }),
  };
  const model = createTraversalModel(defaultFlow, spoiled);
  await expect(testPath(model, model.getPathFromEvents([{ type: 'dialed' }]))).rejects.toThrow(/^pulled$/);
  expect(driver.worlds.map(({ ended }) => ended)).toEqual([1]);
});

test('a world that does not end either is told of as well', async () => {
  const driver = fakeDriver({ flaw: () => ({ dialer: side('none', { established: 2 }) }) });
  const spoiled: Driver = {
    ...driver,
    start: async (setup) => Object.assign(await driver.start(setup), { end: () => Promise.reject(new Error('stuck')) }),
  };
  const model = createTraversalModel(defaultFlow, spoiled);
  const failure = await testPath(model, { steps: [] }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AggregateError);
  expect((failure as AggregateError).errors).toEqual([expect.any(ModelFailure), new Error('stuck')]);
});

describe('wrong use', () => {
  const model = createTraversalModel(defaultFlow, fakeDriver());
  const DIAL = { event: { type: 'dialed' }, pause: 0 };

  test.each<[unknown, string]>([
    [undefined, 'steps: must be a list of steps'],
    [[DIAL, 'roamed'], 'steps[1]: must be an object, not "roamed"'],
    [[{ event: 'dialed', pause: 0 }], 'steps[0]: must be an object, not "dialed"'],
    [[{ event: { type: 'foo' }, pause: 0 }], 'steps[0].type: must be one of dialed, time.passed, '],
    [[DIAL, { event: { type: 'roamed' }, pause: 0 }], 'steps[1].side: is missing'],
    [[{ event: { type: 'roamed', side: 'both' }, pause: 0 }], 'steps[0].side: must be one of dialer, listener'],
    [[{ event: { type: 'closed', side: 'dialer' }, pause: 0 }], 'steps[0]: closed (dialer) cannot happen while idle'],
    [[DIAL, { event: { type: 'aborted' }, pause: 0 }, DIAL], 'steps[2]: dialed cannot happen while closed'],
    [[{ event: { type: 'dialed' } }], 'steps[0].pause: is missing'],
    [[{ event: { type: 'dialed' }, pause: Number.NaN }], 'steps[0].pause: must be a number in 0..2147483647, not NaN'],
  ])('steps %j', async (steps, message) => {
    const tested = testPath(model, { steps } as Pick<ModelPath, 'steps'>);
    await expect(tested).rejects.toThrow(usage(message));
  });

  test('an event that the driver cannot make happen', async () => {
    const bolted = createTraversalModel(defaultFlow, { ...fakeDriver(), cannot: { roamed: 'it is bolted down' } });
    const tested = testPath(bolted, { steps: [{ event: ROAMED, pause: 0 }] });
    await expect(tested).rejects.toThrow(usage('steps[0]: the fake cannot do roamed (dialer): it is bolted down'));
  });

  test.each<[unknown, string]>([
    [{ seed: 1.5 }, 'options.seed: must be a whole number'],
    [{ invariants: [5] }, 'options.invariants[0]: must have a name and a check'],
    [{ trace: 'file' }, 'options.trace: must be a function'],
    [{ sed: 1 }, 'options.sed: there is no such field'],
  ])('options %j', async (options, message) => {
    await expect(testPath(model, { steps: [] }, options as TestPathOptions)).rejects.toThrow(usage(message));
  });

  test('no model', async () => {
    await expect(testPath(defaultFlow as never, { steps: [] })).rejects.toThrow(usage('model: is no model'));
    expect(() => testPaths(undefined as never, { test })).toThrow(usage('model: is no model'));
  });

  test.each<[unknown, string]>([
    [undefined, 'options: must be an object'],
    [{}, 'options.test: must be a function that states a test'],
    [{ test, paths: [] }, 'options.paths: must be a list of paths, one at least'],
    [{ test, cover: 'states' }, 'options.cover: must be one of transitions, situations, not "states"'],
    [{ test, pause: -1 }, 'options.pause: must be a number in 0..'],
    [{ test, timeout: 0 }, 'options.timeout: must be a number in 1..'],
  ])('of testPaths: %j', (options, message) => {
    expect(() => testPaths(model, options as TestPathsOptions)).toThrow(usage(message));
  });
});

test('time can always pass', async () => {
  const driver = fakeDriver();
  const model = createTraversalModel(defaultFlow, driver);
  const time: ModelEvent = { type: 'time.passed' };
  const path = model.getPathFromEvents([
    time,
    { type: 'dialed' },
    { type: 'session.broke', side: 'dialer' },
    time,
    time,
  ]);
  expect(path.description).toMatch(/: unsure$/);
  await testPath(model, path);
});

function usage(message: string) {
  return expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) });
}
