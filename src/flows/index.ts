/** Flows: strategies, how they are composed, and the charts that this makes. */
export { checkOptionsOf } from './check-options.ts';
export { bindStrategies } from './compile/bind.ts';
export { type ComposedMachine, compose } from './compile/compose.ts';
export type {
  AttemptCounts,
  ComposedContext,
  ComposedEvent,
  ComposedInput,
  PacketBudget,
  StepAttempt,
  StepFailed,
  StepInput,
  StepOutput,
  StepSuccess,
} from './compile/contract.ts';
export type { ComposeOptions } from './compile/parts.ts';
export type { StrategyHost } from './compile/strategy-host.ts';
export type { StepLogic } from './compile/strategy-slot.ts';
export { defaultFlow } from './default-flow.ts';
export { defaultMap } from './default-map.ts';
export { defineFlow } from './define-flow.ts';
export { defineStrategy, type StrategyFrame, type StrategySpec } from './define-strategy.ts';
export {
  anySide,
  type BehaviorPattern,
  bothSides,
  type Evidence,
  evidence,
  mySide,
  not,
  theirSide,
} from './evidence.ts';
export { type FallbackOptions, fallback } from './fallback.ts';
export type { Flow, FlowMachines, FlowSlot, FlowSpec, OwnMachines } from './flow.ts';
export { flowOf } from './flow-of.ts';
export type { Finding, LintRule } from './lint/finding.ts';
export { strategyPlaces } from './lint/walk.ts';
export { isMachine } from './logic-shape.ts';
export { guessablePort, portsInSequence } from './port-evidence.ts';
export { type RaceOptions, race } from './race.ts';
export { type RetryOptions, retry } from './retry.ts';
export { PacketAccount, RaceAccounts } from './run/packet-account.ts';
export { RunEnvironment } from './run/run-environment.ts';
export { RunScope, type RunWorld } from './run/run-scope.ts';
export { ScopedNetwork } from './run/scoped-network.ts';
export type { Score, ScoresJson } from './score.ts';
export { type Advice, adviseRaces } from './score-advice.ts';
export { createScores, type ScoredRun, type Scores } from './scores.ts';
export { sequence } from './sequence.ts';
export { statesOf } from './state-nodes.ts';
export type {
  FallbackStep,
  RaceStep,
  RetryStep,
  SequenceStep,
  Step,
  Steps,
  StrategyStep,
  WhenStep,
  WithinStep,
} from './step.ts';
export { announced } from './strategies/announced.ts';
export { checks } from './strategies/checks.ts';
export { interfaces } from './strategies/interfaces.ts';
export { mapper } from './strategies/mapper.ts';
export { natPmp } from './strategies/nat-pmp.ts';
export { natUpnp } from './strategies/nat-upnp.ts';
export { pcp } from './strategies/pcp.ts';
export { type PredictOptions, predict } from './strategies/predict.ts';
export { relay } from './strategies/relay.ts';
export { type SprayOptions, spray } from './strategies/spray.ts';
export { stun } from './strategies/stun.ts';
export { tcpSimultaneousOpen } from './strategies/tcp-simultaneous-open.ts';
export { turn } from './strategies/turn.ts';
export { upnp } from './strategies/upnp.ts';
export type { Strategy, StrategyFunction, StrategyLogic, StrategyMachine, TwoSided } from './strategy.ts';
export { fieldsOf, LONGEST, shown, usage, wholeNumber, wordOf } from './usage.ts';
export { asksForEvidence } from './walk.ts';
export { when } from './when.ts';
export { within } from './within.ts';
