/**
 * How long it takes to connect, in the kernel laboratory with 20 ms one way on each uplink: R = D = 80 ms, S = 40 ms
 * (R relayed round trip between the peers, D direct round trip, S round trip from a host to the server).
 *
 * Run: `npm run bench` (root on Linux; needs the Debian packages that CONTRIBUTING.md names). Prints medians.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listen, runSallyport, serve } from '../test/lab/commands.ts';
import type { Host } from '../test/lab/net/host.ts';
import { createLab, type Lab } from '../test/lab/net/lab.ts';
import { NATS } from '../test/lab/net/nat.ts';

const DELAY = 20;
const R = 4 * DELAY;
const WARM_ROUNDS = 15;
const COLD_ROUNDS = 7;

interface Row {
  readonly pair: string;
  readonly kind: string;
  readonly warm: { readonly ready: number; readonly echo: number; readonly direct: number | undefined };
  readonly cold: { readonly echo: number; readonly direct: number | undefined };
}

type Nat = keyof typeof NATS;
const pairs: readonly (readonly [Nat, Nat])[] = [
  ['EI/APD', 'EI/APD'],
  ['EI/EI', 'EI/EI'],
  ['EI/EI', 'APD/APD'],
  ['EI/AD', 'APD/APD'],
  ['EI/APD', 'APD/APD'],
  ['APD/APD', 'APD/APD'],
  ['drops UDP', 'EI/EI'],
];

await using lab = await createLab();
const host = await lab.publicHost('server', { addresses: 2 });
const rendezvous = await serve(host);
const rows: Row[] = [];
for (const [i, [one, other]] of pairs.entries()) {
  const [a, b] = await Promise.all([site(lab, `a${i}`, one), site(lab, `b${i}`, other)]);
  rows.push(await measure(`${one} x ${other}`, a, b));
}
const home = await lab.site('home', { nat: NATS['EI/APD'], delay: DELAY, hosts: 2 });
rows.push(await measure('same LAN', home.hosts[0]!, home.hosts[1]!));
print(rows);

async function site(on: Lab, name: string, nat: Nat): Promise<Host> {
  const { hosts } = await on.site(name, { nat: NATS[nat], delay: DELAY });
  return hosts[0]!;
}

async function measure(pair: string, a: Host, b: Host): Promise<Row> {
  const listener = await listen(b, rendezvous.url, ['--echo']);
  const dialer = fileURLToPath(new URL('connect-dialer.ts', import.meta.url));
  const warm: { ready: number; echo: number; direct?: number }[] = JSON.parse(
    await a.run(process.execPath, ['--import', 'tsx', dialer, rendezvous.url, listener.ticket, String(WARM_ROUNDS)]),
  );
  const cold: { echo: number; direct: number | undefined }[] = [];
  for (let i = 0; i < COLD_ROUNDS; i++) {
    cold.push(await runCold(a, listener.ticket));
  }
  await listener.process.kill('SIGINT');
  const direct = warm.map((round) => round.direct).filter((t) => t !== undefined);
  return {
    pair,
    kind: direct.length > warm.length / 2 ? 'D' : 'R',
    warm: {
      ready: median(warm.map(({ ready }) => ready))!,
      echo: median(warm.map(({ echo }) => echo))!,
      direct: median(direct),
    },
    cold: { echo: median(cold.map(({ echo }) => echo))!, direct: median(cold.map(({ direct }) => direct)) },
  };
}

/** The command, timed from outside, the start of node included. */
async function runCold(from: Host, ticket: string): Promise<{ echo: number; direct: number | undefined }> {
  const startedAt = performance.now();
  const command = runSallyport(from, ['connect', ticket, '--json', '--message', 'hello']);
  let direct: number | undefined;
  for await (const line of command.lines) {
    if (/"event":"path".*"kind":"direct"/.test(line)) direct ??= performance.now() - startedAt;
    if (!line.includes('"event":"message"')) continue;
    const echo = performance.now() - startedAt;
    await command.wait();
    return { echo, direct };
  }
  throw new Error(`no answer: ${command.stderr}`);
}

function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)];
}

function print(table: readonly Row[]): void {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const ms = (t: number | undefined): string => (t === undefined ? '-' : `${t.toFixed(0)} (${(t / R).toFixed(2)} R)`);
  console.log(
    `sallyport ${version}, node ${process.version}; ${DELAY} ms one way on each uplink: R = D = ${R} ms, S = ${R / 2} ms`,
  );
  console.log(
    `medians in ms: ${WARM_ROUNDS} warm rounds (from the call of connect) and ${COLD_ROUNDS} rounds of the cold command (from its start) a row\n`,
  );
  console.log(
    '| pair | ends | warm: session | warm: first echo | warm: direct path | command: first echo | command: direct path |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const { pair, kind, warm, cold } of table) {
    const cells = [warm.ready, warm.echo, warm.direct, cold.echo, cold.direct].map(ms);
    console.log(`| ${[pair, kind, ...cells].join(' | ')} |`);
  }
}
