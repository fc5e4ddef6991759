import type { Dependence, NatBehavior } from '../core/nat-behavior.ts';
import type { Facts } from '../core/strategy.ts';
import { fieldsOf, shown, usage } from './usage.ts';

/** What a choice is made by: a named question to what is known. */
export interface Evidence {
  /** As it reads in the picture and in verdicts: `any side: address-and-port-dependent mapping`. */
  readonly name: string;
  /** What is not `true` is no. */
  readonly test: (facts: Facts) => boolean;
}

/** What a NAT does (RFC 4787), as far as it is asked for: all that is named must hold. What is unknown never does. */
export interface BehaviorPattern {
  readonly mapping?: Exclude<Dependence, 'unknown'>;
  readonly filtering?: Exclude<Dependence, 'unknown'>;
  readonly translated?: boolean;
  readonly portPreservation?: boolean;
}

/** One side at least is known to behave so. */
export function anySide(pattern: BehaviorPattern): Evidence {
  return ofSides('any side', pattern, (holds, { mine, theirs }) => holds(mine) || holds(theirs));
}

/** Both sides are known to behave so. */
export function bothSides(pattern: BehaviorPattern): Evidence {
  return ofSides('both sides', pattern, (holds, { mine, theirs }) => holds(mine) && holds(theirs));
}

export function mySide(pattern: BehaviorPattern): Evidence {
  return ofSides('my side', pattern, (holds, { mine }) => holds(mine));
}

export function theirSide(pattern: BehaviorPattern): Evidence {
  return ofSides('their side', pattern, (holds, { theirs }) => holds(theirs));
}

/** The other answer. Where nothing is known it holds, since what is asked does not. */
export function not(asked: Evidence): Evidence {
  const { name, test } = evidenceOf('not', asked);
  return evidence(`not ${name}`, (facts) => test(facts) !== true);
}

/** A question of one's own. `test` asks nothing but the facts, and gives the same answer for the same. Errors: `ERR_USAGE`. */
export function evidence(name: string, test: (facts: Facts) => boolean): Evidence {
  if (!isName(name)) throw usage('evidence', 'it needs a name');
  if (typeof test !== 'function')
    throw usage(`evidence '${name}'`, `${shown(test)} is no function that asks the facts`);
  return Object.freeze({ name, test });
}

/** The evidence, which may have been written without types. Errors: `ERR_USAGE` for what is none, naming the place. */
export function evidenceOf(place: string, value: unknown): Evidence {
  const { name, test } = Object(value) as Readonly<Record<string, unknown>>;
  // A function has a name, too.
  if (typeof value !== 'function' && isName(name) && typeof test === 'function') return value as Evidence;
  throw usage(place, `${shown(value)} is no evidence; use anySide({ .. }), or evidence(name, test)?`);
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name.trim() !== '';
}

/** `test` is given the question to one side. */
function ofSides(
  sides: string,
  pattern: BehaviorPattern,
  test: (holds: (behavior: NatBehavior) => boolean, behaviors: Facts['behaviors']) => boolean,
): Evidence {
  const asked = Object.entries(fieldsOf(sides, pattern)).map(([trait, value]) => traitOf(sides, trait, value));
  if (asked.length === 0) throw usage(sides, 'the pattern is empty');
  const holds = (behavior: NatBehavior): boolean => asked.every(({ trait, value }) => behavior[trait] === value);
  const words = asked.map((one) => one.words).join(' and ');
  return evidence(`${sides}: ${words}`, ({ behaviors }) => test(holds, behaviors));
}

interface AskedTrait {
  readonly trait: keyof BehaviorPattern;
  readonly value: unknown;
  /** As it reads. */
  readonly words: string;
}

function traitOf(sides: string, trait: string, value: unknown): AskedTrait {
  if (!isTrait(trait)) throw usage(sides, `nothing is known of '${trait}'`);
  const place = `${sides}: ${trait}`;
  if (value === 'unknown') throw usage(place, 'what is unknown cannot be asked for');
  const words = WORDS[trait].get(value);
  if (words !== undefined) return { trait, value, words };
  throw usage(place, `${shown(value)} is none of ${[...WORDS[trait].keys()].join(', ')}`);
}

function isTrait(name: string): name is keyof BehaviorPattern {
  return Object.hasOwn(WORDS, name);
}

const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;

/** What can be asked for of each trait, as it reads. */
const WORDS: Readonly<Record<keyof BehaviorPattern, ReadonlyMap<unknown, string>>> = {
  mapping: new Map(DEPENDENCES.map((value) => [value, `${value} mapping`])),
  filtering: new Map(DEPENDENCES.map((value) => [value, `${value} filtering`])),
  translated: new Map([
    [true, 'translated'],
    [false, 'not translated'],
  ]),
  portPreservation: new Map([
    [true, 'port preserved'],
    [false, 'port not preserved'],
  ]),
};
