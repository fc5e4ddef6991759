import { TraversalError } from '../../core/errors.ts';
import { type Difference, type Replay, replayTrace } from '../../trace/index.ts';
import type { StateTest } from './test-paths.ts';

/**
 * Replays a trace, given by its lines: a simulated run is made again, of a real one the charts take the recorded events. Errors: an
 * `Error` with the first line that is otherwise; those of `replayTrace`.
 */
export async function replay(lines: Iterable<string>): Promise<Replay> {
  const replayed = await replayTrace(lines);
  if (replayed.differs !== undefined) throw new Error(describeDifference(replayed, replayed.differs));
  return replayed;
}

/** States a test that a trace from the field replays as it was written: what was seen once is held on to. Errors: `ERR_USAGE`. */
export function testTrace(title: string, lines: Iterable<string>, { test }: { readonly test: StateTest }): void {
  const kept = [...lines];
  if (kept.length === 0) throw new TraversalError('ERR_USAGE', `${title}: there is nothing in the trace`);
  test(`trace ${title}`, async () => void (await replay(kept)), PATIENCE);
}

function describeDifference({ header, replayedBy }: Replay, { line, expected, got }: Difference): string {
  const versions =
    header.sallyport === replayedBy ? '' : `, written by ${header.sallyport} and replayed by ${replayedBy}`;
  const told = (text: string | undefined): string => text ?? 'nothing';
  return `the replay differs at line ${line}${versions}\n- ${told(expected)}\n+ ${told(got)}`;
}

/** ms that a replay may take. */
const PATIENCE = 60_000;
