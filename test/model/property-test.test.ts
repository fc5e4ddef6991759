import { expect, test } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import {
  createTraversalModel,
  type ModelEvent,
  ModelFailure,
  type PropertyTestOptions,
  propertyTest,
} from '../../src/testing/index.ts';
import { type FakeDriverOptions, fakeDriver, side } from './fake-driver.ts';

function random(options: Partial<PropertyTestOptions>, fake: FakeDriverOptions = {}) {
  const driver = fakeDriver(fake);
  const model = createTraversalModel(defaultFlow, driver);
  return { driver, report: propertyTest({ model, ...options }) };
}

/** A pair that does not stand it when its listener roams twice while the link is lossy. */
function flaw(events: readonly ModelEvent[]) {
  const moves = events.filter((event) => event.type === 'roamed' && event.side === 'listener').length;
  const link = events.findLast(({ type }) => type.startsWith('link.'))?.type;
  return moves >= 2 && link === 'link.lossy' ? { listener: side('direct', { established: 2 }) } : undefined;
}

test('tries as many sequences as it is told, the same for the same seed', async () => {
  const first = random({ runs: 40, seed: 5 });
  expect(await first.report).toEqual({ runs: 40, seed: 5 });
  const again = random({ runs: 40, seed: 5 });
  await again.report;
  const told = ({ worlds }: typeof first.driver) => worlds.map(({ events, seed }) => ({ events, seed }));
  expect(told(first.driver)).toHaveLength(40);
  expect(told(again.driver)).toEqual(told(first.driver));
  const other = random({ runs: 40, seed: 6 });
  await other.report;
  expect(told(other.driver)).not.toEqual(told(first.driver));
});

test('dials in every sequence, and lets everything happen', async () => {
  const { driver, report } = random({ runs: 300, seed: 2 });
  await report;
  expect(driver.worlds.every(({ events }) => events.filter(({ type }) => type === 'dialed').length === 1)).toBe(true);
  const seen = new Set(driver.worlds.flatMap(({ events }) => events.map((event) => JSON.stringify(event))));
  const all = createTraversalModel(defaultFlow, driver).events.filter(({ type }) => type !== 'time.passed');
  expect([...seen].sort()).toEqual(all.map((event) => JSON.stringify(event)).sort());
});

test('finds a flaw and shrinks it to what it takes', async () => {
  const { report } = random({ runs: 2_000, seed: 1 }, { flaw });
  const failure = (await report.catch((error: unknown) => error)) as ModelFailure;
  expect(failure).toBeInstanceOf(ModelFailure);
  const types = failure.run.steps.map(({ event }) => event.type).sort();
  expect(types).toEqual(['dialed', 'link.lossy', 'roamed', 'roamed']);
  expect(failure.run.steps.every(({ pause }) => pause === 0)).toBe(true);
  expect(failure.message).toMatch(/^Run \d+ of 2000 failed; seed 1, shrunk \d+ times/);
  expect(failure.message).toContain(`await testPath(model, { steps }, { seed: ${failure.run.seed} })`);
});

test('tells of an error of the driver with the sequence that led to it', async () => {
  const driver = fakeDriver();
  const start: typeof driver.start = async (setup) => {
    const world = await driver.start(setup);
    const perform = world.perform.bind(world);
    return Object.assign(world, {
      perform: (event: ModelEvent) =>
        event.type === 'server.lost' ? Promise.reject(new Error('pulled')) : perform(event),
    });
  };
  const model = createTraversalModel(defaultFlow, { ...driver, start });
  const failure = await propertyTest({ model, runs: 200, seed: 1 }).catch((error) => error);
  expect(failure).toBeInstanceOf(ModelFailure);
  expect(failure.run.steps.map(({ event }: { event: ModelEvent }) => event.type)).toContain('server.lost');
  expect(failure.message).toContain('the run broke: Error: pulled');
  expect(failure.cause).toEqual(new Error('pulled'));
});

test('a model of a dial alone is no less a model', async () => {
  const events: readonly ModelEvent[] = [{ type: 'dialed' }, { type: 'time.passed' }];
  const model = createTraversalModel(defaultFlow, fakeDriver(), { events });
  expect(await propertyTest({ model, runs: 20, seed: 1 })).toEqual({ runs: 20, seed: 1 });
});

test.each<[object, string]>([
  [{ runs: 0 }, 'options.runs: must be a whole number in 1..2147483647, not 0'],
  [{ runs: Number.NaN }, 'options.runs: must be a whole number in 1..2147483647, not NaN'],
  [{ runs: -1 }, 'options.runs: must be a whole number'],
  [{ runs: '3' }, 'options.runs: must be a whole number'],
  [{ seed: 1.5 }, 'options.seed: must be a whole number'],
  [{ longest: -1 }, 'options.longest: must be a whole number'],
  [{ longest: Number.NaN }, 'options.longest: must be a whole number'],
  [{ longestPause: -1 }, 'options.longestPause: must be a whole number'],
  [{ longestPause: 1.5 }, 'options.longestPause: must be a whole number'],
  [{ invariants: [5] }, 'options.invariants[0]: must have a name and a check'],
  [{ model: undefined }, 'model: is no model; createTraversalModel makes one'],
  [{ run: 5 }, 'options.run: there is no such field'],
])('refuses %o', async (options, message) => {
  const { driver, report } = random(options);
  await expect(report).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
  );
  expect(driver.worlds).toEqual([]);
});
