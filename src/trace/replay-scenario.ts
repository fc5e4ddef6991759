import { isDeepStrictEqual } from 'node:util';
import type { RunOptions, Scenario } from '../scenario/index.ts';
import { recordTrace } from './record-scenario.ts';
import type { Difference, ReplayResult } from './replay-result.ts';
import type { TracedLine } from './trace-reader.ts';

/**
 * Runs the scenario of a trace again and compares all of every record as it goes, what this version does not know too. Errors:
 * `ERR_USAGE` with the number of a line that makes no sense, and those of `runScenario`.
 */
export async function replayScenario(
  scenario: Scenario,
  lines: Iterable<TracedLine>,
  { flows }: Pick<RunOptions, 'flows'>,
): Promise<ReplayResult> {
  const comparison = createComparison(lines);
  let isHeader = true;
  const compare = (line: string): void => {
    if (!isHeader) comparison.next(line);
    isHeader = false;
  };
  await recordTrace(scenario, compare, { flows });
  return comparison.end();
}

interface Comparison {
  /** What the run has next. */
  next(got: string): void;
  /** The run is over. Errors: those of the lines. */
  end(): ReplayResult;
}

/** Looks no further than to the first difference. */
function createComparison(lines: Iterable<TracedLine>): Comparison {
  const iterator = lines[Symbol.iterator]();
  let records = 0;
  let line = 1;
  let differs: Difference | undefined;
  let failure: { readonly error: unknown } | undefined;

  const compare = (got: string | undefined): void => {
    const { value: expected } = iterator.next() as IteratorResult<TracedLine, undefined>;
    line = expected?.line ?? line + 1;
    if (expected === undefined && got === undefined) return;
    if (expected === undefined || got === undefined || !isSame(expected, got)) {
      differs = { line, expected: expected?.text, got };
    } else if (expected.record.what !== 'end') records++;
  };

  return {
    next(got) {
      if (differs !== undefined || failure !== undefined) return;
      try {
        compare(got);
      } catch (error) {
        // It is told at the end: a run under way is not to be thrown into.
        failure = { error };
      }
    },
    end() {
      if (failure !== undefined) throw failure.error;
      if (differs === undefined) compare(undefined);
      return differs === undefined ? { records } : { records, differs };
    },
  };
}

/** Whoever wrote the line again may have ordered its fields otherwise. */
function isSame({ text, record }: TracedLine, got: string): boolean {
  return text === got || isDeepStrictEqual(record, JSON.parse(got));
}
