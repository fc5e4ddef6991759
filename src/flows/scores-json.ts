import type { Score, ScoresJson } from './score.ts';
import { usage, wholeNumber } from './usage.ts';

/** Reads what {@link writeScores} gave. Errors: `ERR_USAGE`, naming the field. */
export function readScores(json: unknown): Map<string, Map<string, Score>> {
  const { version, pairs } = record('scores', json, ['version', 'pairs']);
  if (version !== 1) throw usage('scores.version', `${JSON.stringify(version)} is none that is known: 1`);
  return table('scores.pairs', pairs, PAIR, (place, strategies) => table(place, strategies, STRATEGY, readScore));
}

/** In alphabetical order. */
export function writeScores(pairs: ReadonlyMap<string, ReadonlyMap<string, Score>>): ScoresJson {
  return { version: 1, pairs: sorted(pairs, (strategies) => sorted(strategies, (score) => score)) };
}

function readScore(place: string, value: unknown): Score {
  const fields = record(place, value, ['tries', 'wins', 'ms', 'packets']);
  const count = (name: keyof Score): number => {
    const field = fields[name];
    if (typeof field !== 'number') throw usage(`${place}.${name}`, `${JSON.stringify(field)} is no number`);
    return wholeNumber(`${place}.${name}`, field, 0, Number.MAX_SAFE_INTEGER);
  };
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
  const entries = Object.entries(record(place, value));
  return new Map(
    entries.map(([name, entry]) => {
      if (!key.test(name)) throw usage(place, `'${name}' does not match ${key}`);
      return [name, read(`${place}['${name}']`, entry)];
    }),
  );
}

/** An object, with these fields and no others where they are given. */
function record(place: string, value: unknown, fields?: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(place, 'not an object');
  const unknown = Object.keys(value).find((name) => fields?.includes(name) === false);
  if (unknown !== undefined) throw usage(place, `'${unknown}' is no field of it`);
  return value as Record<string, unknown>;
}

function sorted<T, U>(map: ReadonlyMap<string, T>, write: (value: T) => U): Record<string, U> {
  const names = [...map.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, write(map.get(name)!)]));
}

const KNOWN = 'endpoint-independent|address-dependent|address-and-port-dependent';
const SIDE = `(${KNOWN})/(${KNOWN}|unknown)`;
const PAIR = new RegExp(`^${SIDE} x ${SIDE}$`);
const STRATEGY = /^[a-z][a-z0-9-]{0,63}$/;
