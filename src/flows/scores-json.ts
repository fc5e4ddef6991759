import type { Score, ScoresJson } from './score.ts';
import { STRATEGY_NAME } from './strategy.ts';
import { fieldsOf, shown, usage, wholeNumber } from './usage.ts';

/** Reads what {@link writeScores} gave. Errors: `ERR_USAGE`, naming the field. */
export function readScores(json: unknown): Map<string, Map<string, Score>> {
  const { version, pairs } = fieldsOf('scores', json as ScoresJson, ['version', 'pairs']);
  if (version !== 1) throw usage('scores.version', `${shown(version)} is none that is known: 1`);
  return table('scores.pairs', pairs, PAIR, (place, strategies) => table(place, strategies, STRATEGY_NAME, readScore));
}

/** Whether scores are kept under that name: `endpoint-independent/address-dependent x ..`. */
export function isPair(name: string): boolean {
  return PAIR.test(name);
}

/** In alphabetical order. */
export function writeScores(pairs: ReadonlyMap<string, ReadonlyMap<string, Score>>): ScoresJson {
  return { version: 1, pairs: sorted(pairs, (strategies) => sorted(strategies, (score) => score)) };
}

function readScore(place: string, value: unknown): Score {
  const fields = fieldsOf(place, value as Score, ['tries', 'wins', 'ms', 'packets']);
  const count = (name: keyof Score): number =>
    wholeNumber(`${place}.${name}`, fields[name], 0, Number.MAX_SAFE_INTEGER);
  const score = { tries: count('tries'), wins: count('wins'), ms: count('ms'), packets: count('packets') };
  if (score.wins > score.tries) throw usage(`${place}.wins`, `${score.wins} of ${score.tries} tries`);
  return score;
}

function table<T>(
  place: string,
  value: unknown,
  key: RegExp,
  read: (place: string, value: unknown) => T,
): Map<string, T> {
  const entries = Object.entries(fieldsOf(place, value as object));
  return new Map(
    entries.map(([name, entry]) => {
      if (!key.test(name)) throw usage(place, `'${name}' does not match ${key}`);
      return [name, read(`${place}['${name}']`, entry)];
    }),
  );
}

function sorted<T, U>(map: ReadonlyMap<string, T>, write: (value: T) => U): Record<string, U> {
  const names = [...map.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, write(map.get(name)!)]));
}

const KNOWN = 'endpoint-independent|address-dependent|address-and-port-dependent';
const SIDE = `(${KNOWN})/(${KNOWN}|unknown)`;
const PAIR = new RegExp(`^${SIDE} x ${SIDE}$`);
