import { createActor } from 'xstate';
import { simNetwork } from '../../adapters/sim/index.ts';
import type { Facts } from '../../core/strategy.ts';
import { bindStrategies, compose, RaceAccounts, ScopedNetwork, type Strategy } from '../../flows/index.ts';
import { internet } from '../../sim/index.ts';
import { TrialHost } from './trial-host.ts';

export interface TrialOptions {
  readonly isLucky: boolean;
  readonly facts: Facts;
  /** ms after which the run is not wanted any more; absent: it is left to its end. */
  readonly stopAfter?: number;
}

export interface TrialOutcome {
  /** ms that it ran. */
  readonly duration: number;
  /** Sockets that nobody has closed a second after it was over, and the connection, too. */
  readonly socketsKept: number;
  /** Paths that the strategy itself made. */
  readonly paths: number;
  /** Whether it made one, or tried to, when it was not wanted any more. */
  readonly madeLate: boolean;
}

/** Runs a strategy once, alone on a simulated internet, in virtual time. */
export async function tryStrategy(
  strategy: Strategy,
  { isLucky, facts, stopAfter }: TrialOptions,
): Promise<TrialOutcome> {
  const world = internet({ seed: 1 });
  const { clock } = world;
  const host = world.host('alone');
  const late = new AbortController();
  const { bounds } = strategy;
  const network = new ScopedNetwork({
    network: simNetwork(host),
    account: new RaceAccounts().open(bounds.packets, []),
    sockets: bounds.sockets,
    signal: late.signal,
  });
  const trial = new TrialHost({ network, clock, random: host.random.stream('trial'), isLucky });
  const machine = bindStrategies(compose('trial', { kind: 'strategy', strategy }), trial);
  const actor = createActor(machine, { clock, input: { id: 'trial', facts } });
  const limit = Math.min(bounds.time, PATIENCE);
  let duration = stopAfter ?? limit;
  actor.subscribe({
    complete: () => {
      duration = Math.min(duration, clock.now());
    },
  });
  actor.start();
  await clock.advance(stopAfter ?? limit);
  actor.stop();
  await clock.advance(GRACE);
  trial.environment?.close();
  await clock.advance(GRACE);
  const outcome: TrialOutcome = {
    duration,
    socketsKept: network.closeAll(),
    paths: trial.environment?.made.length ?? 0,
    madeLate: trial.environment?.madeLate ?? false,
  };
  late.abort();
  return outcome;
}

/** ms that a run without a bound of time is given. */
const PATIENCE = 60_000;
/** ms for what has to be closed. */
const GRACE = 1_000;
