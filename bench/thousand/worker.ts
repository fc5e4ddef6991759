import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as elapse } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hyperdht } from '../peers/hyperdht.ts';
import { type Holding, holding, load } from './gauge.ts';
import { sallyport } from './sallyport.ts';
import type { Dialing, Listening, System } from './system.ts';
import { udpSockets } from './udp-sockets.ts';

export const systems = { sallyport, hyperdht, 'UDP sockets': udpSockets } satisfies Record<string, System>;
export type SystemName = keyof typeof systems;

/** One part of a system in a process of its own. */
export interface Worker {
  serve(): Promise<string>;
  listen(server: string): Promise<string>;
  dial(address: string, server: string): Promise<void>;
  /** So many connections, so many at a time; gives what became of each: ms, or `null` for one that failed or took over 30 s. */
  connect(count: number, atOnce: number): Promise<(number | null)[]>;
  /** Ends all that `connect` made. */
  close(): Promise<void>;
  /** Connections that the listening side holds. */
  held(): Promise<number>;
  holding(): Promise<Holding>;
  /** Share of one core over so many ms. */
  load(ms: number): Promise<number>;
  end(): void;
}

type Order = keyof Omit<Worker, 'end'>;

/** Starts the process. A call rejects when what it asks for fails in there, or the process ends. */
export function startWorker(system: SystemName): Worker {
  const child = fork(fileURLToPath(import.meta.url), [system], { execArgv: [...process.execArgv, '--expose-gc'] });
  const call =
    (order: Order) =>
    (...args: unknown[]) =>
      ask(child, { order, args });
  return {
    serve: call('serve') as Worker['serve'],
    listen: call('listen') as Worker['listen'],
    dial: call('dial') as Worker['dial'],
    connect: call('connect') as Worker['connect'],
    close: call('close') as Worker['close'],
    held: call('held') as Worker['held'],
    holding: call('holding') as Worker['holding'],
    load: call('load') as Worker['load'],
    end: () => void child.kill(),
  };
}

/** One call at a time. */
function ask(child: ChildProcess, message: { order: Order; args: unknown[] }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the process ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', ({ result, error }: Reply) => {
      child.off('exit', onExit);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    child.send(message);
  });
}

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

const PATIENCE = 30_000;

/** The other end of {@link startWorker}. */
function work(system: System): void {
  let listening: Listening | undefined;
  let dialing: Dialing | undefined;
  let closers: (() => void | Promise<void>)[] = [];

  const connectOne = async (): Promise<number | null> => {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    const close = await Promise.race([dialing!.connect().catch(() => undefined), late]);
    clearTimeout(timer);
    if (close === undefined) return null;
    closers.push(close);
    return performance.now() - startedAt;
  };

  const orders: { readonly [Name in Order]: (...args: Parameters<Worker[Name]>) => ReturnType<Worker[Name]> } = {
    serve: () => system.serve(),
    async listen(server) {
      listening = await system.listen(server);
      return listening.address;
    },
    async dial(address, server) {
      dialing = await system.dial(address, server);
    },
    async connect(count, atOnce) {
      const times: (number | null)[] = [];
      let left = count;
      const line = async (): Promise<void> => {
        while (left-- > 0) times.push(await connectOne());
      };
      await Promise.all(Array.from({ length: atOnce }, line));
      return times;
    },
    async close() {
      await Promise.all(closers.map((close) => close()));
      closers = [];
    },
    held: async () => listening?.held() ?? 0,
    holding,
    load: (ms) => load(elapse(ms)),
  };

  process.on('message', async ({ order, args }: { order: Order; args: never[] }) => {
    const reply: Reply = await (orders[order] as (...args: never[]) => Promise<unknown>)(...args).then(
      (result) => ({ result }),
      (error) => ({ error: String(error) }),
    );
    process.send?.(reply);
  });
  process.on('disconnect', () => process.exit());
}

const [, script, name] = process.argv;
if (process.send !== undefined && script === fileURLToPath(import.meta.url)) work(systems[name as SystemName]);
