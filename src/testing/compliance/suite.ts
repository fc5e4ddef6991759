import { describe, it } from 'vitest';
import type { Clock } from '../../core/clock.ts';

/** What the tests of a suite run in: the implementation, and what surrounds it. */
export interface ComplianceWorld {
  /** The clock that the implementation goes by. */
  readonly clock: Clock;
  /**
   * Waits for a promise, and lets time pass meanwhile where it would stand still: `(promise) => promise` in real time,
   * `(promise) => virtualClock.runUntil(promise)` in virtual time. It is called once for each test, with all of it, so
   * that everything else in the world may wait by its clock. A test fails whose end it does not wait for.
   */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Ends what is left, when the test is over. */
  close(): Promise<void>;
}

/** What a suite is given. */
export interface Compliance<World extends ComplianceWorld> {
  /** What the implementation is called in the titles. */
  readonly name: string;
  /** A fresh world, for each test. */
  readonly create: () => Promise<World>;
  /** Tests that cannot be held in this world. One that does not exist is an error. */
  readonly skip?: readonly ComplianceSkip[];
}

export interface ComplianceSkip {
  /** Title of the test. */
  readonly test: string;
  /** Stands beside the title in the report. */
  readonly reason: string;
}

/** States a test, which is given a fresh bench. `timeout` in ms, where the runner's own is too short. */
export type Test<B> = (title: string, body: (bench: B) => Promise<void>, timeout?: number) => void;

/** ms for tests that move many bytes, on a slow machine too. */
export const SLOW = 60_000;

export interface Suite<World extends ComplianceWorld, B extends Bench<World>> {
  /** What is implemented, such as `a Network`. */
  readonly contract: string;
  readonly bench: new (world: World) => B;
  /** By title. */
  readonly groups: Readonly<Record<string, (test: Test<B>) => void>>;
}

/** A world, and short ways to open things in it that are closed when the test is over. */
export class Bench<World extends ComplianceWorld> {
  readonly world: World;
  readonly #opened: { close(): unknown }[] = [];

  constructor(world: World) {
    this.world = world;
  }

  get clock(): Clock {
    return this.world.clock;
  }

  /** Gives the resource back. */
  closeAfterwards<T extends { close(): unknown }>(resource: T): T {
    this.#opened.push(resource);
    return resource;
  }

  close(): void {
    for (const resource of this.#opened.splice(0)) resource.close();
  }
}

/** Registers the tests of a suite with Vitest. */
export function comply<World extends ComplianceWorld, B extends Bench<World>>(
  suite: Suite<World, B>,
  { name, create, skip = [] }: Compliance<World>,
): void {
  const reasons = new Map(skip.map(({ test, reason }) => [test, reason]));
  const tests = testsOf(suite);
  const titles = new Set(tests.map(({ title }) => title));
  const unknown = [...reasons.keys()].filter((title) => !titles.has(title));
  if (unknown.length > 0) throw new Error(`${name}: there is no test to skip: ${unknown.join(', ')}`);

  describe(`${name} as ${suite.contract}`, () => {
    for (const group of Object.keys(suite.groups)) {
      describe(group, () => {
        for (const { title, run, timeout } of tests.filter((test) => test.group === group)) {
          const reason = reasons.get(title);
          if (reason === undefined) it(title, () => run(create), timeout);
          else it.skip(`${title} (${reason})`);
        }
      });
    }
  });
}

/** A test of a suite. */
export interface SuiteTest<World extends ComplianceWorld> {
  readonly group: string;
  readonly title: string;
  readonly timeout: number | undefined;
  /** Holds the test in a fresh world, and closes that. Rejects when it fails, or when the world does not wait for its end. */
  run(create: () => Promise<World>): Promise<void>;
}

/** The tests of a suite, in order. */
export function testsOf<World extends ComplianceWorld, B extends Bench<World>>(
  suite: Suite<World, B>,
): readonly SuiteTest<World>[] {
  const tests: SuiteTest<World>[] = [];
  for (const [group, define] of Object.entries(suite.groups)) {
    define((title, body, timeout) => {
      tests.push({ group, title, timeout, run: (create) => runIn(suite.bench, create, body) });
    });
  }
  return tests;
}

async function runIn<World extends ComplianceWorld, B extends Bench<World>>(
  benchOf: new (world: World) => B,
  create: () => Promise<World>,
  body: (bench: B) => Promise<void>,
): Promise<void> {
  const world = await create();
  try {
    const bench = new benchOf(world);
    try {
      await settled(world, body(bench));
    } finally {
      bench.close();
    }
  } finally {
    await world.close();
  }
}

/** The outcome of a test, whatever the world's `settle` makes of it. */
async function settled(world: ComplianceWorld, test: Promise<void>): Promise<void> {
  let ended = false;
  const running = test.finally(() => {
    ended = true;
  });
  running.catch(() => {}); // A test that nobody waits for any more may still fail.
  await world.settle(running);
  if (!ended) throw new Error('settle came back before the test had ended');
  await running;
}
