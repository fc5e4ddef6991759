import { usage } from '../../sim/fields.ts';
import { checkModel, checkOptions, type TestPathOptions, testPath } from './test-path.ts';
import type { ModelPath, PathOptions, TraversalModel } from './traversal-model.ts';

/**
 * How tests are stated: `test` of Vitest, of Jest, of `node:test`, or anything that takes a title and a function. `timeout`: ms that the
 * test may take, which Vitest and Jest take as their third argument; `node:test` sets no time.
 */
export type StateTest = (title: string, body: () => Promise<void>, timeout: number) => unknown;

export interface TestPathsOptions extends TestPathOptions, PathOptions {
  readonly test: StateTest;
  /** Default: `model.getShortestPaths()`. */
  readonly paths?: readonly ModelPath[];
  /** ms that each test may take. Default: twice as long as the driver gives a pair to come to rest. */
  readonly timeout?: number;
}

/** States a test for each path of the model: it makes the path happen, in a world of its own. Errors: `ERR_USAGE`. */
export function testPaths(model: TraversalModel, options: TestPathsOptions): void {
  checkModel(model);
  const fields = checkOptions(options, 'test', 'paths', 'cover', 'pause', 'timeout');
  const { name, bounds } = model.driver;
  const { seed, invariants, trace, inspect, test, cover, pause } = options;
  const { paths = model.getShortestPaths({ cover, pause }) } = options;
  const timeout = fields.number('timeout', TIMEOUT) ?? 2 * bounds.rest;
  if (typeof test !== 'function') throw usage('options.test', 'must be a function that states a test');
  if (!Array.isArray(paths) || paths.length === 0)
    throw usage('options.paths', 'must be a list of paths, one at least');
  const run = { seed, invariants, trace, inspect };
  for (const path of paths) test(`${name}: ${path.description}`, () => testPath(model, path, run), timeout);
}

/** ms. */
const TIMEOUT = { min: 1, max: 2 ** 31 - 1 };
