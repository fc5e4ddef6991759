import type { Dependence, NatBehavior } from '../core/nat-behavior.ts';
import type { Facts } from '../core/strategy.ts';
import { usage } from './usage.ts';

/** What a choice is made by: a named question to what is known. */
export interface Evidence {
  /** As it reads in the picture and in verdicts: `any side: address-and-port-dependent mapping`. */
  readonly name: string;
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
  return ofSides('any side', pattern, ({ mine, theirs }) => matches(pattern, mine) || matches(pattern, theirs));
}

/** Both sides are known to behave so. */
export function bothSides(pattern: BehaviorPattern): Evidence {
  return ofSides('both sides', pattern, ({ mine, theirs }) => matches(pattern, mine) && matches(pattern, theirs));
}

export function mySide(pattern: BehaviorPattern): Evidence {
  return ofSides('my side', pattern, ({ mine }) => matches(pattern, mine));
}

export function theirSide(pattern: BehaviorPattern): Evidence {
  return ofSides('their side', pattern, ({ theirs }) => matches(pattern, theirs));
}

/** The other answer. Where nothing is known it holds, since what is asked does not. */
export function not({ name, test }: Evidence): Evidence {
  return evidence(`not ${name}`, (facts) => !test(facts));
}

/** A question of one's own. `test` asks nothing but the facts, and gives the same answer for the same. Errors: `ERR_USAGE`. */
export function evidence(name: string, test: (facts: Facts) => boolean): Evidence {
  if (name.trim() === '') throw usage('evidence', 'it needs a name');
  return Object.freeze({ name, test });
}

function ofSides(sides: string, pattern: BehaviorPattern, test: (behaviors: Facts['behaviors']) => boolean): Evidence {
  const traits = Object.entries(pattern).map(([trait, value]) => {
    const words = WORDS[trait];
    if (words === undefined) throw usage(sides, `nothing is known of '${trait}'`);
    if (value === 'unknown') throw usage(`${sides}: ${trait}`, 'what is unknown cannot be asked for');
    return words(value);
  });
  if (traits.length === 0) throw usage(sides, 'the pattern is empty');
  return evidence(`${sides}: ${traits.join(' and ')}`, ({ behaviors }) => test(behaviors));
}

function matches(
  { mapping, filtering, translated, portPreservation }: BehaviorPattern,
  behavior: NatBehavior,
): boolean {
  return (
    (mapping === undefined || mapping === behavior.mapping) &&
    (filtering === undefined || filtering === behavior.filtering) &&
    (translated === undefined || translated === behavior.translated) &&
    (portPreservation === undefined || portPreservation === behavior.portPreservation)
  );
}

const WORDS: Readonly<Record<string, (value: Dependence | boolean) => string>> = {
  mapping: (value) => `${value} mapping`,
  filtering: (value) => `${value} filtering`,
  translated: (value) => (value ? 'translated' : 'not translated'),
  portPreservation: (value) => (value ? 'port preserved' : 'port not preserved'),
};
