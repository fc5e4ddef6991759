/**
 * How long it takes to connect, in the kernel laboratory with 20 ms one way on each uplink: R = D = 80 ms, S = 40 ms
 * (R relayed round trip between the peers, D direct round trip, S round trip from a host to the server).
 *
 * The last two rows are of one pair, in turns: with port mapping, where no gateway answers, and without it.
 *
 * Run: `npm run bench`, or `npx tsx bench/connect.ts mapping` for the last two rows alone (root on Linux; needs the
 * Debian packages that CONTRIBUTING.md names). Prints medians.
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

interface WarmRound {
  readonly ready: number;
  readonly echo: number;
  readonly direct?: number;
}

interface ColdRound {
  readonly echo: number;
  readonly direct: number | undefined;
}

interface Row {
  readonly pair: string;
  readonly kind: string;
  readonly warm: { readonly ready: number; readonly echo: number; readonly direct: number | undefined };
  readonly cold: { readonly echo: number; readonly direct: number | undefined };
}

/** Whether the dialer asks gateways for port mappings. */
type Mapping = 'map' | 'no-map';

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
print([...(process.argv[2] === 'mapping' ? [] : await measurePairs()), ...(await measureMapping())]);

async function measurePairs(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [i, [one, other]] of pairs.entries()) {
    const [a, b] = await Promise.all([site(lab, `a${i}`, one), site(lab, `b${i}`, other)]);
    rows.push(...(await measure(`${one} x ${other}`, a, b)));
  }
  const home = await lab.site('home', { nat: NATS['EI/APD'], delay: DELAY, hosts: 2 });
  rows.push(...(await measure('same LAN', home.hosts[0]!, home.hosts[1]!)));
  return rows;
}

/** What it costs to ask gateways where none answers. */
async function measureMapping(): Promise<Row[]> {
  const [a, b] = await Promise.all([site(lab, 'map-a', 'EI/APD'), site(lab, 'map-b', 'EI/APD')]);
  const rows = await measure('EI/APD x EI/APD', a, b, { mappings: ['map', 'no-map'], coldRounds: WARM_ROUNDS });
  return rows.map((row, i) => ({ ...row, pair: `${row.pair}, ${i === 0 ? 'mapping, no gateway' : '--no-map'}` }));
}

async function site(on: Lab, name: string, nat: Nat): Promise<Host> {
  const { hosts } = await on.site(name, { nat: NATS[nat], delay: DELAY });
  return hosts[0]!;
}

/** A row for each of `mappings`, which take turns, and turns at being first. */
async function measure(
  pair: string,
  a: Host,
  b: Host,
  { mappings = ['map'], coldRounds = COLD_ROUNDS }: { mappings?: readonly Mapping[]; coldRounds?: number } = {},
): Promise<Row[]> {
  const listener = await listen(b, rendezvous.url, ['--echo']);
  const dialer = fileURLToPath(new URL('connect-dialer.ts', import.meta.url));
  const args = [dialer, rendezvous.url, listener.ticket, String(WARM_ROUNDS), ...mappings];
  const warm: Record<Mapping, WarmRound[]> = JSON.parse(await a.run(process.execPath, ['--import', 'tsx', ...args]));
  const cold: Record<Mapping, ColdRound[]> = { map: [], 'no-map': [] };
  for (let i = 0; i < coldRounds; i++) {
    const turns = i % 2 === 0 ? mappings : mappings.toReversed();
    for (const mapping of turns) cold[mapping].push(await runCold(a, listener.ticket, mapping));
  }
  await listener.process.kill('SIGINT');
  return mappings.map((mapping) => summarize(pair, warm[mapping], cold[mapping]));
}

function summarize(pair: string, warm: readonly WarmRound[], cold: readonly ColdRound[]): Row {
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
async function runCold(from: Host, ticket: string, mapping: Mapping): Promise<ColdRound> {
  const startedAt = performance.now();
  const options = mapping === 'map' ? [] : ['--no-map'];
  const command = runSallyport(from, ['connect', ticket, '--json', '--message', 'hello', ...options]);
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
    `medians in ms: ${WARM_ROUNDS} warm rounds (from the call of connect) and ${COLD_ROUNDS} rounds of the cold command (from its start) a row, ${WARM_ROUNDS} with and without mapping\n`,
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
