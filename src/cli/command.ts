import { constants } from 'node:os';
import { asTraversalError } from '../core/errors.ts';
import { type ExitCode, exitCodeOf } from './exit-code.ts';
import { createReporter, type Reporter, type ReporterOptions } from './reporter.ts';

/** What a command runs with. */
export interface CommandContext {
  readonly reporter: Reporter;
  /** Aborted by Ctrl-C and SIGTERM; a second Ctrl-C ends the process at once. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command to its end: errors are told once, with their code, and everything is released before the process ends.
 * An interrupt that the command takes as its regular end (`serve`, `listen`) gives its exit code, else 128 + the
 * signal's number.
 */
export async function runCommand(
  options: ReporterOptions,
  command: (context: CommandContext) => Promise<ExitCode>,
): Promise<void> {
  const reporter = createReporter(options);
  const controller = new AbortController();
  let interrupted: NodeJS.Signals | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (interrupted !== undefined) die(signal);
    interrupted = signal;
    controller.abort();
  };
  const letGo = (): void => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  /** By the signal itself: an exit would first wait for what the pool's threads do, such as a look-up of a name. */
  const die = (signal: NodeJS.Signals): never => {
    process.once('exit', () => {
      letGo();
      process.kill(process.pid, signal);
    });
    process.exit(128 + constants.signals[signal]);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    process.exitCode = await command({ reporter, signal: controller.signal });
  } catch (error) {
    const known = asTraversalError(error, 'ERR_NETWORK');
    if (interrupted === undefined) {
      reporter.error(known);
      reporter.log('error.stack', { stack: known.stack, cause: String(known.cause) });
    }
    process.exitCode = interrupted === undefined ? exitCodeOf(known.code) : 128 + constants.signals[interrupted];
  } finally {
    letGo();
    // Whoever interrupts does not wait for a reader that has stalled; the timer keeps no process.
    if (interrupted !== undefined) setTimeout(() => reporter.release(), STALLED).unref();
  }
}

/** ms that the last lines of an interrupted command may take to be read. */
const STALLED = 1_000;

/** Fulfils when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
