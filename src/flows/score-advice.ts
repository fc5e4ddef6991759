import { type Random, randomInteger } from '../core/random.ts';
import type { Facts } from '../core/strategy.ts';
import type { ComposedInput } from './compile/contract.ts';
import { noScore, type Score } from './score.ts';
import type { Scores } from './scores.ts';
import type { RaceStep, Step } from './step.ts';
import { partsOf, strategyNames } from './walk.ts';

/** What scores say of the races in a step, for the input of its machine. */
export type Advice = Pick<ComposedInput, 'ranks' | 'leftOut'>;

/**
 * What is sooner to be expected starts first; what has cost more packets than {@link POLITENESS} for each time that it won is left out of
 * races, but for one time in {@link EXPLORATION}, and never all of a race. Nothing where nothing was noted for these behaviours.
 */
export function adviseRaces(scores: Scores, step: Step, behaviors: Facts['behaviors'], random: Random): Advice {
  const names = strategyNames(step);
  const known = new Map(names.map((name) => [name, scores.of(behaviors, name)]));
  if ([...known.values()].every((score) => score === undefined)) return {};
  const ranks = Object.fromEntries(names.map((name) => [name, rankOf(known.get(name) ?? noScore)]));
  const out = names.filter((name) => isCostly(known.get(name)) && randomInteger(random, EXPLORATION) > 0);
  return { ranks, leftOut: keepOneEach(step, out, ranks) };
}

/**
 * ms until it wins, if each failure takes as long as a win: mean time of its wins by its rate of winning. Without experience as if it had won
 * every second time after half a second.
 */
function rankOf({ tries, wins, ms }: Score): number {
  const time = (ms + PRIOR.ms) / (wins + PRIOR.wins);
  return Math.round((time * (tries + PRIOR.tries)) / (wins + PRIOR.wins));
}

function isCostly(score: Score | undefined): boolean {
  return score !== undefined && score.tries >= FEW && score.packets > POLITENESS * Math.max(1, score.wins);
}

/** Those left out, but for the best of each race that would have nothing to start. */
function keepOneEach(step: Step, out: readonly string[], ranks: Readonly<Record<string, number>>): readonly string[] {
  const isRace = step.kind === 'race';
  let left = isRace && areAll(step, out) ? out.filter((name) => name !== bestOf(step, ranks)) : out;
  for (const part of partsOf(step)) {
    // The races in what a race leaves out do not run.
    if (!isRace || !areAll(part, left)) left = keepOneEach(part, left, ranks);
  }
  return left;
}

function areAll(step: Step, out: readonly string[]): boolean {
  return strategyNames(step).every((name) => out.includes(name));
}

function bestOf(step: RaceStep, ranks: Readonly<Record<string, number>>): string | undefined {
  return strategyNames(step).reduce((best, name) => (ranks[name]! < ranks[best]! ? name : best));
}

/** Packets that a win may cost. */
const POLITENESS = 5_000;
/** Tries that prove nothing yet. */
const FEW = 5;
/** Times after which something is tried again on average. */
const EXPLORATION = 20;
/** Experience before there is any. */
const PRIOR = { tries: 2, wins: 1, ms: 500 };
