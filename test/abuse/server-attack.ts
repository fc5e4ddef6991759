import { setTimeout as elapse } from 'node:timers/promises';
import type { ServerCounters, ServerOptions } from '../../src/server/index.ts';
import type { AttackerApi, AttackOptions, AttackReport } from './attacker.child.ts';
import type { BystanderApi } from './bystander.child.ts';
import { type Experience, noticedDuring } from './experience.ts';
import { start } from './process.ts';
import type { ServerApi } from './server.child.ts';
import type { serverAttacks } from './server-attacks.ts';
import type { Usage } from './usage.ts';

/** What an attack on a server did to it, and to clients that ping each other over its relay or dial anew. */
export interface ServerAttackResult extends AttackReport {
  readonly usage: Usage;
  readonly quiet: Experience;
  readonly loaded: Experience;
  readonly counters: ServerCounters;
}

export interface ServerAttackOptions extends AttackOptions {
  /** ms that the bystander is watched before it. */
  readonly quiet: number;
  readonly server?: ServerOptions;
}

/** Server, bystanders and attacker are processes of their own. */
export async function attackServer(
  name: keyof typeof serverAttacks,
  { quiet, server: options, ...attack }: ServerAttackOptions,
): Promise<ServerAttackResult> {
  await using server = await start<ServerApi>(new URL('server.child.ts', import.meta.url));
  await using bystander = await start<BystanderApi>(new URL('bystander.child.ts', import.meta.url));
  await using attacker = await start<AttackerApi>(new URL('attacker.child.ts', import.meta.url), NICE);
  const at = await server.call.start(options ?? {});
  const listener = await bystander.call.start(at.url);
  await noticedDuring(bystander, () => elapse(WARM_UP));
  const [before] = await noticedDuring(bystander, () => elapse(quiet));
  await server.call.watch();
  const [loaded, report] = await noticedDuring(bystander, () =>
    attacker.call.attackServer(name, { ...at, listener }, attack),
  );
  const usage = await server.call.usage();
  const counters = await server.call.counters();
  if (counters === undefined) throw new Error('the server is gone');
  return { ...report, usage, quiet: before, loaded, counters };
}

/** Of the attacker. */
const NICE = 10;
/** ms before what counts. */
const WARM_UP = 500;
