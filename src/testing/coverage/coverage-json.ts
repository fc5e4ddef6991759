import { usage } from '../../sim/fields.ts';
import type { ChartOutline, OutlinedState, OutlinedTransition } from './chart-outline.ts';

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

/** The charts in what another collector wrote. Errors: `ERR_USAGE` for what is none of `outlines`, part by part. */
export function readCoverage(
  json: CoverageJson,
  outlines: ReadonlyMap<string, ChartOutline>,
): readonly ChartCoverageJson[] {
  const charts: unknown = json?.charts;
  if (!Array.isArray(charts)) throw usage('charts', 'must be a list; Coverage.report().json() gives it');
  for (const [i, chart] of charts.entries()) {
    const { id } = Object(chart) as ChartCoverageJson;
    const outline = outlines.get(id);
    if (outline === undefined) throw usage(`charts[${i}]`, `there is no chart ${id} here`);
    if (partsOf(chart) !== partsOf(outline))
      throw usage(`charts[${i}]`, `${outline.id} has other states or transitions here`);
  }
  return charts;
}

/** What there is to be hit in a chart, as text. */
function partsOf({ states, transitions }: ChartOutline | ChartCoverageJson): string {
  const lists = [states, transitions].map((parts) => (Array.isArray(parts) ? parts : []));
  return JSON.stringify(lists.map((parts) => parts.map(({ id, key }) => [id, key])));
}

/** Events of XState's own in words: `after repunch`, `done`, `punch failed`; `always` where there is none. */
export function eventWords({ source, event }: Pick<CoveredTransition, 'source' | 'event'>): string {
  if (event === '') return 'always';
  if (event === `xstate.done.state.${source}`) return 'done';
  const after = `.${source}`;
  if (event.startsWith('xstate.after.') && event.endsWith(after))
    return `after ${event.slice('xstate.after.'.length, -after.length)}`;
  const [, outcome, id] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(event) ?? [];
  if (outcome === undefined || id === undefined) return event;
  const isOwn = id === source || id.endsWith(`.${source}`);
  return `${isOwn ? 'actor' : id} ${outcome === 'done' ? 'done' : 'failed'}`;
}

/** `connection.connected: path.lost [isCurrent] to connection.recovering`. */
function transitionWords({ source, event, targets, guard }: CoveredTransition): string {
  const condition = guard === undefined ? '' : ` [${guard.name}]`;
  return `${source}: ${eventWords({ source, event })}${condition}${targets.length === 0 ? '' : ` to ${targets.join(', ')}`}`;
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
