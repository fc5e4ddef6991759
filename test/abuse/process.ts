import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Functions that a process offers to the one that started it; arguments and results cross as JSON. */
export type Offered = Record<string, (...args: never[]) => unknown>;

/** The same functions, seen from there. */
export type Remote<Api extends Offered> = {
  readonly [Name in keyof Api]: (...args: Parameters<Api[Name]>) => Promise<Awaited<ReturnType<Api[Name]>>>;
};

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly never[];
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** To be called once, by the file that was started. Ends with the process that started it. */
export function offer(api: Offered): void {
  process.on('message', async ({ id, name, args }: Call) => {
    const answer = (rest: Omit<Answer, 'id'>): void => void process.send?.({ id, ...rest });
    try {
      answer({ result: await api[name]?.(...args) });
    } catch (error) {
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ id: 0 });
}

export interface Started<Api extends Offered> extends AsyncDisposable {
  readonly call: Remote<Api>;
}

/**
 * Starts a TypeScript file in a process of its own, with as many file descriptors as the system allows. `niceness` 0..19: how much the
 * others go first; attackers would not be on their target's machine.
 */
export async function start<Api extends Offered>(file: URL, niceness = 0): Promise<Started<Api>> {
  const command = [process.execPath, '--import', 'tsx', fileURLToPath(file)];
  const child = spawn(
    'sh',
    ['-c', 'ulimit -n "$(ulimit -H -n)"; exec nice -n "$@"', 'sh', String(niceness), ...command],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  child.on('message', ({ id, result, error }: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process ended with ${code ?? signal}`));
  });
  await Promise.race([once(child, 'message'), failure(child)]);
  const send = (name: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(++lastId, { resolve, reject });
      child.send({ id: lastId, name, args });
    });
  return {
    call: new Proxy({} as Remote<Api>, {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          send(String(name), args),
    }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function failure(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`a process ended with ${code} at its start`);
}
