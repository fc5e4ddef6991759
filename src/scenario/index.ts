export { type SimEnvironmentOptions, simEnvironment } from './environment.ts';
export { type HomesOptions, homes, type Site } from './homes.ts';
export type { NatChange } from './nat-watch.ts';
export type { DialOutcome, LeftOver, Outcome, PathChange, Pong, SideOutcome, Stage } from './outcome.ts';
export type { ConnectionNews, PeerNews, RunEvent, RunWatch, WorldNews } from './run-event.ts';
export { type RunOptions, runScenario } from './run-scenario.ts';
export type { DialPlan, PeerPlan, Scenario } from './scenario.ts';
export { readScenario } from './scenario-reader.ts';
