import { isDeepStrictEqual } from 'node:util';
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from 'xstate';
import { charts, currentPathOf, stateOf } from './charts.ts';
import type { ReplayResult } from './replay-result.ts';
import type {
  ChartName,
  ChartRecord,
  EndRecord,
  EventRecord,
  PathRecord,
  TracedEvent,
  TracedState,
  TraceRecord,
} from './trace-format.ts';
import { isObject, malformed, type TracedLine } from './trace-reader.ts';

/**
 * Takes the charts of a real run through the events that they took then, by XState's pure transitions: nothing is sent, no
 * time passes. After each event a chart must be in the state that was recorded, and on the path. Records of other
 * kinds are counted. Errors: `ERR_USAGE` with the number of a line that makes no sense.
 */
export function replayCharts(lines: Iterable<TracedLine>): ReplayResult {
  const actors: Actors = new Map();
  let records = 0;
  let ended = false;
  let next = 2;
  for (const { line, text, record } of lines) {
    if (ended) return { records, differs: { line, expected: text, got: undefined } };
    const got = JSON.stringify({ ...record, ...replay(actors, records, line, record) });
    if (!isDeepStrictEqual(JSON.parse(got), record)) return { records, differs: { line, expected: text, got } };
    if (record.what === 'end') ended = true;
    else records++;
    next = line + 1;
  }
  if (ended) return { records };
  return { records, differs: { line: next, expected: undefined, got: JSON.stringify(endAfter(records)) } };
}

/** Those that have begun, ended ones included, by peer and name. */
type Actors = Map<string, { readonly chart: ChartName; readonly snapshot: AnyMachineSnapshot } | 'not replayed'>;

/** What the replay has for fields of a record; nothing for those that are not of a chart. */
function replay(actors: Actors, records: number, line: number, record: TraceRecord): Partial<TraceRecord> {
  switch (record.what) {
    case 'chart':
      return begin(actors, keyOf(record), line, record);
    case 'actor':
      actors.set(keyOf(record), 'not replayed');
      return {};
    case 'event':
      return move(actors, keyOf(record), line, record);
    case 'path':
      return pathOf(actors, keyOf(record));
    case 'end':
      return endAfter(records);
    default:
      return {};
  }
}

function begin(actors: Actors, key: string, line: number, { chart, input }: ChartRecord): TracedState {
  if (!Object.hasOwn(charts, chart)) throw malformed(line, `is of a chart that there is not, ${String(chart)}`);
  return enter(actors, key, chart, (machine) => initialTransition(machine, revive(input)));
}

function move(actors: Actors, key: string, line: number, { event }: EventRecord): Partial<TracedState> {
  if (!isObject(event) || typeof event.type !== 'string') throw malformed(line, 'has no event');
  const actor = actors.get(key);
  if (actor === undefined) return { state: 'not started' };
  if (actor === 'not replayed') return {};
  const { chart, snapshot } = actor;
  return enter(actors, key, chart, (machine) => transition(machine, snapshot, revive(event) as TracedEvent));
}

/** A chart that breaks on an event is in error, as a real one would be. */
function enter(
  actors: Actors,
  key: string,
  chart: ChartName,
  by: (machine: AnyStateMachine) => readonly [AnyMachineSnapshot, unknown],
): TracedState {
  try {
    const [snapshot] = by(charts[chart]);
    actors.set(key, { chart, snapshot });
    return stateOf(snapshot);
  } catch (error) {
    actors.delete(key);
    return { state: String(error), status: 'error' };
  }
}

function pathOf(actors: Actors, key: string): Partial<PathRecord> {
  const actor = actors.get(key);
  if (actor === 'not replayed') return {};
  return { path: (actor && currentPathOf(actor.chart, actor.snapshot)) ?? null };
}

function endAfter(records: number): Pick<EndRecord, 'what' | 'records'> {
  return { what: 'end', records };
}

function keyOf({ who, actor }: { readonly who: string; readonly actor: string }): string {
  return `${who}\n${actor}`;
}

/** JSON has no number for leases without end: they are written as text. */
function revive(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null', (_, field) =>
    field === 'Infinity' ? Number.POSITIVE_INFINITY : field,
  );
}
