import { type Bench, type ComplianceWorld, type Suite, testsOf } from '../../../../src/testing/compliance/suite.ts';

/** An implementation made wrong on purpose, and the test of the suite that must notice. */
export interface Fault<T> {
  readonly noticedBy: string;
  /** Makes a sound implementation wrong. */
  plant(sound: T): T;
}

/** By what is wrong. */
export type Faults<T> = Readonly<Record<string, Fault<T>>>;

/** A suite, and what its tests must notice. */
export interface FaultySuite {
  readonly contract: string;
  readonly cases: readonly FaultyCase[];
}

/** `holdSound` and `holdFaulty` run the test that must notice: the one fulfils, the other rejects. */
export interface FaultyCase {
  readonly name: string;
  readonly noticedBy: string;
  holdSound(): Promise<void>;
  holdFaulty(): Promise<void>;
}

/** `create` makes a world whose implementation has been through `plant`. */
export function faultySuite<T, World extends ComplianceWorld, B extends Bench<World>>(
  suite: Suite<World, B>,
  faults: Faults<T>,
  create: (plant: (sound: T) => T) => Promise<NoInfer<World>>,
): FaultySuite {
  const tests = testsOf(suite);
  const cases = Object.entries(faults).map(([name, { noticedBy, plant }]): FaultyCase => {
    const test = tests.find(({ title }) => title === noticedBy);
    if (test === undefined) throw new Error(`${suite.contract}: there is no test that ${noticedBy}`);
    return {
      name,
      noticedBy,
      holdSound: () => test.run(() => create((sound) => sound)),
      holdFaulty: () => test.run(() => create(plant)),
    };
  });
  return { contract: suite.contract, cases };
}

/** What a world settles with that waits for nothing. */
export function settleAtOnce<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([promise, Promise.resolve() as Promise<never>]);
}

/** The same object but for some of its members. */
export function changed<T extends object>(sound: T, members: Partial<T>): T {
  return new Proxy(sound, {
    get(target, key) {
      if (Object.hasOwn(members, key)) return Reflect.get(members, key);
      const member = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
