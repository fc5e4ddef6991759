import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a short command to its end and gives its stdout; rejects with its stderr in the message when it exits other than 0. */
export async function execute(command: string, args: readonly string[], options: ExecuteOptions = {}): Promise<string> {
  const { input = '', cwd, env } = options;
  const running = promisify(execFile)(command, args, { cwd, env, maxBuffer: 64 * 2 ** 20 });
  // A command may end without reading its input; whether that is a failure its exit code says.
  running.child.stdin?.on('error', () => {}).end(input);
  return (await running).stdout;
}

export interface ExecuteOptions {
  /** All of the command's stdin. */
  readonly input?: string;
  readonly cwd?: string;
  /** Replaces the environment, as in `node:child_process`. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs lines of `ip` in one process, from the namespace of this process. */
export async function ipBatch(lines: readonly string[]): Promise<void> {
  await execute('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
}
