/**
 * One listener that holds a thousand connections on loopback, the dialers in a second process and what both need in a third: how
 * long they take to make, what memory each costs on each side, and what all together cost while idle, keepalives included.
 * Beside it, in the same run, as many plain UDP sockets that ask and answer as often, and hyperdht as far as it gets.
 *
 * Run after `npm run build`: `npx tsx bench/thousand.ts [connections] [idle seconds] [system]..`; hyperdht needs
 * `npm --prefix bench/peers install` before. Raises no limit of the system: each UDP socket wants a file descriptor (`ulimit -n`).
 */
import { readFileSync } from 'node:fs';
import { setTimeout as elapse } from 'node:timers/promises';
import { type SystemName, startWorker, systems, type Worker } from './thousand/worker.ts';

/** Connections that are made at a time: enough to keep two processes busy, few enough that none waits long for its turn. */
const AT_ONCE = 4;
/** Connections that come and go before anything is measured: code is compiled, and the heap has its size. */
const WARM_UP = 100;
/** ms until what making connections left behind is over: the consent of pairs that were not needed lives for 30 s. */
const SETTLING = 40_000;

interface Row {
  readonly system: string;
  readonly connections: number;
  /** ms; `seconds` for all. */
  readonly setup: { readonly seconds: number; readonly p50: number; readonly p99: number };
  readonly listener: Side;
  readonly dialer: Side;
}

interface Side {
  /** KiB a connection beyond the first: of the process, and of JavaScript objects and buffers. */
  readonly rss: number;
  readonly heap: number;
  /** % of one core. */
  readonly load: number;
  readonly fds: number;
}

const [count = '1000', idle = '60', ...chosen] = process.argv.slice(2);
const names = Object.keys(systems).filter((name) => chosen.length === 0 || chosen.includes(name)) as SystemName[];
const rows: Row[] = [];
for (const name of names) {
  try {
    rows.push(await measure(name, Number(count), Number(idle)));
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}
print(rows);

async function measure(system: SystemName, wanted: number, idleSeconds: number): Promise<Row> {
  const [server, listener, dialer] = [startWorker(system), startWorker(system), startWorker(system)];
  const both = <T>(ask: (worker: Worker) => Promise<T>): Promise<[T, T]> => Promise.all([ask(listener), ask(dialer)]);
  try {
    const serverAddress = await server.serve();
    await dialer.dial(await listener.listen(serverAddress), serverAddress);
    await dialer.connect(WARM_UP, AT_ONCE);
    await dialer.close();
    await dialer.connect(1, 1);
    await elapse(SETTLING);
    const base = await both((worker) => worker.holding());

    const startedAt = performance.now();
    const times = await dialer.connect(wanted - 1, AT_ONCE);
    const seconds = (performance.now() - startedAt) / 1000;
    const made = times.filter((time) => time !== null).sort((a, b) => a - b);
    await elapse(SETTLING);
    // In this order: collecting garbage also throws compiled code away.
    const loads = await both((worker) => worker.load(idleSeconds * 1000));
    const full = await both((worker) => worker.holding());
    const connections = Math.min(made.length + 1, await listener.held());

    const sides = [0, 1].map((side) => ({
      rss: (full[side]!.rss - base[side]!.rss) / 1024 / made.length,
      heap: (full[side]!.heap - base[side]!.heap) / 1024 / made.length,
      load: 100 * loads[side]!,
      fds: full[side]!.fds,
    }));
    const setup = { seconds, p50: quantile(made, 0.5), p99: quantile(made, 0.99) };
    return { system, connections, setup, listener: sides[0]!, dialer: sides[1]! };
  } finally {
    for (const worker of [server, listener, dialer]) worker.end();
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function print(table: readonly Row[]): void {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  console.log(`sallyport ${version}, node ${process.version}; ${count} connections wanted, idle for ${idle} s\n`);
  console.log(
    '| system | connections | made in | each: p50, p99 | listener: KiB each (heap), idle CPU, fds | dialer: KiB each (heap), idle CPU, fds |',
  );
  console.log('|---|---|---|---|---|---|');
  for (const { system, connections, setup, listener, dialer } of table) {
    const side = ({ rss, heap, load, fds }: Side): string =>
      `${rss.toFixed(1)} (${heap.toFixed(1)}), ${load.toFixed(2)} %, ${fds}`;
    const times = `${setup.p50.toFixed(0)} ms, ${setup.p99.toFixed(0)} ms`;
    const cells = [system, connections, `${setup.seconds.toFixed(1)} s`, times, side(listener), side(dialer)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
