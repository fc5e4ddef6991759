import type { ComposedContext } from './contract.ts';

/** A child of a race, by the state of its region. */
export interface RaceChild {
  readonly step: string;
  /** By whose names it is ranked or left out; none: it keeps its place. */
  readonly strategies: readonly string[];
}

/** Asks for a child's turn among all children of its race. */
export interface Turn {
  readonly children: readonly RaceChild[];
  readonly child: string;
}

/** All before it have lost; so the first has its turn from the beginning. */
export function hasTurn({ ranks, leftOut, lost }: ComposedContext, turn: Turn): boolean {
  return before(turn, ranks, leftOut).every(({ step }) => lost.includes(step));
}

/** The one before it has started. */
export function isNext({ ranks, leftOut, started }: ComposedContext, turn: Turn): boolean {
  const last = before(turn, ranks, leftOut).at(-1);
  return last === undefined || started.includes(last.step);
}

/** All its strategies are left out. */
export function isLeftOut({ leftOut }: ComposedContext, { children, child }: Turn): boolean {
  return children.some((one) => one.step === child && isOut(one, leftOut));
}

/** Those that start before the child, in their order. */
function before(
  { children, child }: Turn,
  ranks: ComposedContext['ranks'],
  leftOut: ComposedContext['leftOut'],
): readonly RaceChild[] {
  const order = children.filter((one) => !isOut(one, leftOut)).sort((a, b) => rankOf(a, ranks) - rankOf(b, ranks));
  return order.slice(
    0,
    order.findIndex(({ step }) => step === child),
  );
}

/** The best of its strategies'. */
function rankOf({ strategies }: RaceChild, ranks: ComposedContext['ranks']): number {
  return strategies.length === 0
    ? 0
    : Math.min(...strategies.map((name) => (Object.hasOwn(ranks, name) ? ranks[name]! : 0)));
}

function isOut({ strategies }: RaceChild, leftOut: ComposedContext['leftOut']): boolean {
  return strategies.length > 0 && strategies.every((name) => leftOut.includes(name));
}
