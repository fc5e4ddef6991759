import type { RunOptions } from '../scenario/index.ts';
import { replayCharts } from './replay-charts.ts';
import type { ReplayResult } from './replay-result.ts';
import { replayScenario } from './replay-scenario.ts';
import type { TraceHeader } from './trace-format.ts';
import { readTrace } from './trace-reader.ts';
import { SALLYPORT_VERSION } from './version.ts';

/** `flows`: those that peers of a simulated run were given. */
export type ReplayOptions = Pick<RunOptions, 'flows'>;

/** What came of a replay, and what the trace says of itself. */
export type Replay = ReplayResult & {
  readonly header: TraceHeader;
  /** The version of Sallyport that replayed it. Another one than that of the header may do otherwise. */
  readonly replayedBy: string;
};

/**
 * Replays a trace, given by its lines, and says where it differs from what happens now: a simulated run is made again, of a
 * real one the charts take the recorded events. Errors: `ERR_VERSION` for a trace of a later version, `ERR_USAGE` with
 * the number of a line that makes no sense, and for a scenario that is none.
 */
export async function replayTrace(lines: Iterable<string>, { flows }: ReplayOptions = {}): Promise<Replay> {
  const { header, records } = readTrace(lines);
  const result =
    header.world === 'simulated' ? await replayScenario(header.scenario, records, { flows }) : replayCharts(records);
  return { header, replayedBy: SALLYPORT_VERSION, ...result };
}
