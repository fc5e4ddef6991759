import type { Driver } from './driver.ts';
import { type TestPathOptions, testPath } from './test-path.ts';
import type { ModelPath, PathOptions, TraversalModel } from './traversal-model.ts';

/** How tests are stated: `test` of Vitest, of Jest, of `node:test`, or anything that takes a title and a function. */
export type StateTest = (title: string, body: () => Promise<void>) => unknown;

export interface TestPathsOptions extends TestPathOptions, PathOptions {
  readonly test: StateTest;
  /** Default: `model.getShortestPaths()`. */
  readonly paths?: readonly ModelPath[];
}

/** States a test for each path of the model: it makes the path happen, in a world of its own. */
export function testPaths(model: TraversalModel, driver: Driver, options: TestPathsOptions): void {
  const { test, cover, pause, paths = model.getShortestPaths({ cover, pause }), ...run } = options;
  for (const path of paths) test(`${driver.name}: ${path.description}`, () => testPath(model, driver, path, run));
}
