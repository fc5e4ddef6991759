import type { CellResult } from './nat-matrix.ts';

/** A cell in words: what it came to and when, or what it lacks. */
export function describeResult({ cell, run, judgement }: CellResult): string {
  const { reason, verdict } = judgement;
  const time = run.outcome === 'direct' ? at('after', run.direct) : at('first echo after', run.echo);
  const known = verdict === 'short' && cell.shortfall !== undefined ? `known: ${cell.shortfall}` : undefined;
  return [reason, time, known].filter((part) => part !== undefined).join('; ');
}

function at(what: string, time: number | undefined): string | undefined {
  return time === undefined ? undefined : `${what} ${Math.round(time)} ms`;
}
