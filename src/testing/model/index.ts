export { brokenStrategy, type StrategyFault } from './broken-strategy.ts';
export type { Driver, Remains, World, WorldSetup } from './driver.ts';
export type { Invariant, Moment } from './invariant.ts';
export {
  atMostOneWinner,
  failsByItself,
  fallbackReachable,
  invariants,
  nobodyWaits,
  nothingImpossible,
  nothingLeft,
  progress,
  streamsWhole,
  withinBudget,
} from './invariants.ts';
export type { Lately, ModelContext, ModelInput, Span } from './model-context.ts';
export {
  actorFaults,
  EVENTS,
  type ModelEvent,
  type ModelEventType,
  type ModelStep,
  RARE_EVENTS,
} from './model-event.ts';
export { type FailedRun, ModelFailure, reproduction } from './model-failure.ts';
export { type ModelMeta, traversalMachine } from './model-machine.ts';
export type { ModelMachine, ModelSnapshot, ModelTestModel } from './model-paths.ts';
export { type PropertyTestOptions, type PropertyTestReport, propertyTest } from './property-test.ts';
export { type Chance, type Prospects, prospectsOf } from './prospects.ts';
export type { Observation, Side, SideObservation, Sight } from './sight.ts';
export { type TestPathOptions, testPath } from './test-path.ts';
export { type StateTest, type TestPathsOptions, testPaths } from './test-paths.ts';
export { replay, testTrace } from './test-trace.ts';
export {
  createTraversalModel,
  type ModelPath,
  type PathOptions,
  type TraversalModel,
  type TraversalModelOptions,
} from './traversal-model.ts';
