import { type Account, timeOf } from './account.ts';
import type { Cell } from './cell.ts';

/** What both worlds said about a cell. */
export interface Comparison {
  readonly cell: Cell;
  readonly simulated: Account;
  readonly kernel: Account;
}

/** A table, a line a cell: the outcome in each world, and the ms from the dial to the session, the first pong and the direct path. */
export function report(comparisons: readonly Comparison[]): string {
  const width = Math.max(...comparisons.map(({ cell }) => cell.name.length));
  const line = (name: string, simulated: string, kernel: string): string =>
    `${name.padEnd(width)}  ${simulated.padEnd(COLUMN)}  ${kernel}`.trimEnd();
  return [
    line('', 'simulator', 'kernel'),
    line('ms since the dial to', HEADINGS, HEADINGS),
    ...comparisons.map(({ cell, simulated, kernel }) => line(cell.name, summary(simulated), summary(kernel))),
  ].join('\n');
}

function summary({ dialer, pong }: Account): string {
  const times = [timeOf(dialer, 'connection', 'connected'), pong, timeOf(dialer, 'direct', 'direct')];
  return columns(`${dialer.outcome}, ${dialer.transport}`, ...times.map((time) => time?.toFixed(0) ?? '-'));
}

function columns(outcome: string, ...times: readonly string[]): string {
  return `${outcome.padEnd(19)}${times.map((time) => time.padStart(8)).join('')}`;
}

const HEADINGS = columns('', 'session', 'pong', 'direct');
const COLUMN = HEADINGS.length;
