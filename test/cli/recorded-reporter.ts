import { stripVTControlCharacters } from 'node:util';
import { createReporter, type Reporter } from '../../src/cli/reporter.ts';
import type { CommandEvent } from './sallyport.ts';

/** A command's reporter, whose lines are kept, without colours. */
export interface RecordedReporter {
  readonly reporter: Reporter;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** Of `--json`, without their times. */
  readonly events: readonly CommandEvent[];
}

/** Tells everything, as on a terminal. */
export function recordedReporter({ json }: { readonly json: boolean }): RecordedReporter {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const recorder = (lines: string[]) => ({
    write: (text: string) => void lines.push(stripVTControlCharacters(text).trimEnd()),
    release: () => {},
  });
  return {
    reporter: createReporter({ json, verbose: true }, { stdout: recorder(stdout), stderr: recorder(stderr) }),
    stdout,
    stderr,
    get events() {
      return stdout.map((line) => {
        const { t: _, ...event } = JSON.parse(line) as CommandEvent;
        return event;
      });
    },
  };
}
