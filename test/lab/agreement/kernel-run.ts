import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Verdict } from '../../../src/core/verdict.ts';
import { type PeerRecord, readTrace, type TraceRecord } from '../../../src/trace/index.ts';
import { ofKind, spawnJson } from '../commands.ts';
import type { Host } from '../net/host.ts';
import type { Lab } from '../net/lab.ts';
import { Miniupnpd } from '../net/miniupnpd.ts';
import { NATS } from '../net/nat.ts';
import { type Account, accountOf, type SideStory } from './account.ts';
import { type Cell, DELAY, PING_EVERY, type Site } from './cell.ts';

export interface KernelRunOptions {
  /** `ws://..`, of the rendezvous. */
  readonly server: string;
  /** Unique in the lab; letters and digits. */
  readonly label: string;
  /** For traces and notes of the commands. */
  readonly folder: string;
}

/** Runs a cell in the lab, by the command line. Errors: those of the commands, when one of them tells no verdict. */
export async function runInKernel(lab: Lab, cell: Cell, { server, label, folder }: KernelRunOptions): Promise<Account> {
  const [dialer, listener] = await buildSites(lab, cell, label);
  const options = (side: Side): string[] => [
    ...['--json', '--trace', traceOf(side), '--flow', CHECKS_ONLY],
    ...(side.site.maps === undefined ? ['--no-map'] : []),
  ];
  const env = (side: Side): NodeJS.ProcessEnv => ({ XDG_STATE_HOME: join(folder, side.name) });
  const traceOf = ({ name }: Side): string => join(folder, `${name}.jsonl`);

  const listening = spawnJson(
    listener.host,
    ['listen', '--server', server, '--echo', ...options(listener)],
    env(listener),
  );
  const { ticket } = await listening.until('ticket');
  if (listener.site.maps !== undefined) await listening.until('candidate', ({ type }) => type === 'mapped');
  const ping = ['ping', String(ticket), '--until-direct', '--interval', String(PING_EVERY), '--count', String(PINGS)];
  const pinging = spawnJson(dialer.host, [...ping, ...options(dialer)], env(dialer));
  await pinging.ended;
  await listening.until('verdict');
  listening.child.kill('SIGINT');
  await listening.ended;

  const [here, there] = [storyOf(traceOf(dialer)), storyOf(traceOf(listener))];
  const [pong] = ofKind(pinging.events, 'pong');
  const [begun] = ofKind(pinging.events, 'state');
  return {
    dialer: accountOf(here, there.verdict),
    listener: accountOf(there, here.verdict),
    pong: pong && Number(pong.t) - Number(begun!.t),
  };
}

/** A site of the lab, and the host in it that is of the cell. */
interface Side {
  readonly name: string;
  readonly site: Site;
  readonly host: Host;
}

async function buildSites(
  lab: Lab,
  { dialer, listener, sameLan }: Cell,
  label: string,
): Promise<readonly [Side, Side]> {
  const names = [`${label}a`, `${label}b`] as const;
  if (sameLan !== undefined) {
    const { hosts } = await lab.site(label, { nat: NATS[sameLan], hosts: 2, delay: DELAY });
    return [
      { name: names[0], site: dialer, host: hosts[0]! },
      { name: names[1], site: listener, host: hosts[1]! },
    ];
  }
  return Promise.all([buildSide(lab, names[0], dialer), buildSide(lab, names[1], listener)]);
}

async function buildSide(lab: Lab, name: string, site: Site): Promise<Side> {
  const { nat, carrier, maps } = site;
  if (nat === undefined) return { name, site, host: await lab.publicHost(name, { delay: DELAY }) };
  const built = await lab.site(name, { nat: NATS[nat], ...(carrier && { carrier: NATS[carrier] }), delay: DELAY });
  if (maps !== undefined) await Miniupnpd.start(built.nat, maps);
  return { name, site, host: built.hosts[0]! };
}

/** What a trace tells of its only connection. */
function storyOf(trace: string): SideStory {
  const { records } = readTrace(readFileSync(trace, 'utf8').split('\n'));
  const all = [...records].map(({ record }) => record).filter(isOfConnection);
  const begun = all[0]?.t ?? 0;
  const verdict = all.findLast((record) => record.what === 'verdict')?.verdict;
  if (verdict === undefined) throw new Error(`${trace} tells no verdict`);
  return {
    stages: all.flatMap((record) =>
      (record.what === 'chart' || record.what === 'event') && record.state !== undefined
        ? [{ at: record.t - begun, state: record.state }]
        : [],
    ),
    paths: all.flatMap((record) => (record.what === 'path' ? [record.path ?? undefined] : [])),
    verdict: verdict as Verdict,
  };
}

type ConnectionRecord = { readonly t: number } & Extract<PeerRecord, { readonly actor: string }>;

function isOfConnection(record: TraceRecord): record is ConnectionRecord {
  return 'actor' in record && /^connection [\da-f]+$/.test(record.actor ?? '') && record.what !== 'step';
}

const CHECKS_ONLY = fileURLToPath(new URL('checks-only.mjs', import.meta.url));

/** Enough for whatever path is to come: {@link PING_EVERY} and a round trip each make more than two seconds. */
const PINGS = 12;
