/**
 * The abuse table: what attacks on a rendezvous server and on a listening peer cost them, and what a bystander notices. Each attack
 * runs in a process of its own, and so do its target and the bystander, which pings every 10 ms, over the server's relay or over a
 * direct connection to the peer, and dials anew 100 ms after each dial. All of them share this machine's cores; the attacker is nice to the others, as if it were elsewhere.
 *
 * Run: `npx tsx bench/abuse.ts [attack]..` (Linux; wants 16,384 open files). Prints Markdown.
 */
import { cpus } from 'node:os';
import type { AttackReport } from '../test/abuse/attacker.child.ts';
import type { Dials } from '../test/abuse/dials.ts';
import type { Experience } from '../test/abuse/experience.ts';
import { attackPeer } from '../test/abuse/peer-attack.ts';
import { peerAttacks } from '../test/abuse/peer-attacks.ts';
import type { RoundTrips } from '../test/abuse/round-trips.ts';
import { attackServer } from '../test/abuse/server-attack.ts';
import { serverAttacks } from '../test/abuse/server-attacks.ts';
import type { Told } from '../test/abuse/told.ts';
import type { Usage } from '../test/abuse/usage.ts';

interface Row extends AttackReport {
  readonly attack: string;
  readonly usage: Usage;
  readonly quiet: Experience;
  readonly loaded: Experience;
}

/** ms. */
const QUIET = 3_000;
const DURATION = 5_000;

const chosen = process.argv.slice(2);
const namesOf = <Name extends string>(attacks: Record<Name, unknown>): Name[] =>
  (Object.keys(attacks) as Name[]).filter((name) => chosen.length === 0 || chosen.includes(name));
const options = { quiet: QUIET, duration: DURATION, scale: 1, told: [] };

console.log(
  `node ${process.version}, ${cpus().length} cores; ${DURATION / 1_000} s of each attack once its load is there\n`,
);
console.log(
  '| attack | load | memory before, at most (MiB) | CPU (% of a core) | ping quiet p50, p99 (ms) | under load p50, p99 (ms) | ratio p50, p99 | pings lost | dials quiet, under load p50, max (ms) | dials lost | told |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|---|');
for (const name of namesOf(serverAttacks)) print({ attack: `server: ${name}`, ...(await attackServer(name, options)) });
for (const name of namesOf(peerAttacks)) print({ attack: `peer: ${name}`, ...(await attackPeer(name, options)) });

function print({ attack, load, told, usage, quiet, loaded }: Row): void {
  const cells = [
    attack,
    load,
    `${usage.before.toFixed(0)}, ${usage.peak.toFixed(0)}`,
    (100 * usage.cpu).toFixed(0),
    times(quiet.pings),
    times(loaded.pings),
    `${(loaded.pings.p50 / quiet.pings.p50).toFixed(1)}, ${(loaded.pings.p99 / quiet.pings.p99).toFixed(1)}`,
    `${loaded.pings.sent - loaded.pings.answered} of ${loaded.pings.sent}`,
    `${dialTimes(quiet.dials)}; ${dialTimes(loaded.dials)}`,
    `${loaded.dials.failures.length} of ${loaded.dials.made + loaded.dials.failures.length}`,
    inWords(told),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

function times({ p50, p99 }: RoundTrips): string {
  return `${p50.toFixed(1)}, ${p99.toFixed(1)}`;
}

function dialTimes({ p50, max }: Dials): string {
  return `${p50.toFixed(0)}, ${max.toFixed(0)}`;
}

function inWords(told: Told): string {
  const parts = Object.entries(told).map(([what, count]) => `${what} (${count})`);
  return parts.length === 0 ? 'nothing' : parts.join('; ');
}
