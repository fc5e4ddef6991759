import type { OutlinedState, OutlinedTransition } from './chart-outline.ts';

/** What was hit, as plain data. */
export interface CoverageJson {
  readonly charts: readonly ChartCoverageJson[];
}

/** Plain data. */
export interface ChartCoverageJson {
  readonly id: string;
  readonly states: readonly (OutlinedState & { readonly hits: number })[];
  readonly transitions: readonly CoveredTransition[];
}

export interface CoveredTransition extends Omit<OutlinedTransition, 'guard'> {
  readonly hits: number;
  /** How its guard answered; absent: it has none. */
  readonly guard?: { readonly name: string; readonly yes: number; readonly no: number };
}

/** How many of how many. */
export interface Share {
  readonly hit: number;
  readonly all: number;
}

/** A guard counts twice: it has to hold once, and once not to. */
export function sharesOf({
  states,
  transitions,
}: ChartCoverageJson): Record<'states' | 'transitions' | 'guards', Share> {
  const guards = transitions.flatMap(({ guard }) => (guard === undefined ? [] : [guard.yes, guard.no]));
  return {
    states: shareOf(states.map(({ hits }) => hits)),
    transitions: shareOf(transitions.map(({ hits }) => hits)),
    guards: shareOf(guards),
  };
}

/** `connection.connected: path.lost [isCurrent] to connection.recovering`. */
function transitionWords({ source, event, targets, guard }: CoveredTransition): string {
  const condition = guard === undefined ? '' : ` [${guard.name}]`;
  return `${source}: ${event || 'always'}${condition}${targets.length === 0 ? '' : ` to ${targets.join(', ')}`}`;
}

/** What was never hit, a sentence each. */
export function missingOf({ id, states, transitions }: ChartCoverageJson): readonly string[] {
  return [
    ...states.filter(({ hits }) => hits === 0).map((state) => `${id}: never in ${state.id}`),
    ...transitions.filter(({ hits }) => hits === 0).map((one) => `${id}: never taken: ${transitionWords(one)}`),
    ...transitions
      .filter(({ guard }) => guard?.no === 0)
      .map((one) => `${id}: its guard never failed: ${transitionWords(one)}`),
  ];
}

function shareOf(hits: readonly number[]): Share {
  return { hit: hits.filter((count) => count > 0).length, all: hits.length };
}
