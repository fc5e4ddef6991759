import { describe, it } from 'vitest';
import type { Clock } from '../../core/clock.ts';

/** What the tests of a suite run in: the implementation, and what surrounds it. */
export interface ComplianceWorld {
  /** The clock that the implementation goes by. */
  readonly clock: Clock;
  /**
   * Waits for a promise, and lets time pass meanwhile where it would stand still: `(promise) => promise` in real time,
   * `(promise) => virtualClock.runUntil(promise)` in virtual time. It is called once for each test, with all of it, so
   * that everything else in the world may wait by its clock.
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
  const groups = Object.entries(suite.groups).map(([title, define]) => ({ title, tests: testsOf(define) }));
  const titles = new Set(groups.flatMap(({ tests }) => tests.map(({ title }) => title)));
  const unknown = [...reasons.keys()].filter((title) => !titles.has(title));
  if (unknown.length > 0) throw new Error(`${name}: there is no test to skip: ${unknown.join(', ')}`);

  const run = async (body: (bench: B) => Promise<void>): Promise<void> => {
    const world = await create();
    try {
      const bench = new suite.bench(world);
      try {
        await world.settle(body(bench));
      } finally {
        bench.close();
      }
    } finally {
      await world.close();
    }
  };
  describe(`${name} as ${suite.contract}`, () => {
    for (const { title: group, tests } of groups) {
      describe(group, () => {
        for (const { title, body, timeout } of tests) {
          const reason = reasons.get(title);
          if (reason === undefined) it(title, () => run(body), timeout);
          else it.skip(`${title} (${reason})`);
        }
      });
    }
  });
}

interface StatedTest<B> {
  readonly title: string;
  readonly body: (bench: B) => Promise<void>;
  readonly timeout: number | undefined;
}

function testsOf<B>(define: (test: Test<B>) => void): readonly StatedTest<B>[] {
  const tests: StatedTest<B>[] = [];
  define((title, body, timeout) => tests.push({ title, body, timeout }));
  return tests;
}
