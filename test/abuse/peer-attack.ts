import { setTimeout as elapse } from 'node:timers/promises';
import { defaultServerLimits, type ServerLimits } from '../../src/protocol/rendezvous/index.ts';
import type { AttackerApi, AttackOptions, AttackReport } from './attacker.child.ts';
import { type Experience, noticedDuring } from './experience.ts';
import type { PeerApi } from './peer.child.ts';
import type { peerAttacks } from './peer-attacks.ts';
import { start } from './process.ts';
import type { ServerApi } from './server.child.ts';
import type { Usage } from './usage.ts';

/** What an attack on a listening peer did to it, to a connection that it had before, and to dials with another ticket. */
export interface PeerAttackResult extends AttackReport {
  readonly usage: Usage;
  readonly quiet: Experience;
  readonly loaded: Experience;
}

/**
 * Listener, dialer, attacker and rendezvous server are processes of their own. The server lets everything through, as one that is with
 * the attacker would.
 */
export async function attackPeer(
  name: keyof typeof peerAttacks,
  { quiet, ...attack }: AttackOptions & { readonly quiet: number },
): Promise<PeerAttackResult> {
  await using server = await start<ServerApi>(new URL('server.child.ts', import.meta.url));
  await using listener = await start<PeerApi>(new URL('peer.child.ts', import.meta.url));
  await using dialer = await start<PeerApi>(new URL('peer.child.ts', import.meta.url));
  await using attacker = await start<AttackerApi>(new URL('attacker.child.ts', import.meta.url), NICE);
  const at = await server.call.start({ limits: LAX });
  const { tickets, udpPort } = await listener.call.listen(at.url);
  const target = { ...at, listener: '', ticket: tickets[0], udpPort };
  await dialer.call.dial(at.url, tickets[1]);
  await noticedDuring(dialer, () => elapse(WARM_UP));
  const [before] = await noticedDuring(dialer, () => elapse(quiet));
  await listener.call.watch();
  const [loaded, report] = await noticedDuring(dialer, () => attacker.call.attackPeer(name, target, attack));
  return { ...report, usage: await listener.call.usage(), quiet: before, loaded };
}

const WITHOUT_BOUND = { rate: 1e9, burst: 1e9 };
const LAX: Partial<ServerLimits> = {
  control: WITHOUT_BOUND,
  controlPerSource: WITHOUT_BOUND,
  requests: WITHOUT_BOUND,
  requestsPerSource: WITHOUT_BOUND,
  offersPerListener: WITHOUT_BOUND.burst,
  refusals: WITHOUT_BOUND,
  unansweredPerListener: defaultServerLimits.sessions,
  sessionsPerClient: defaultServerLimits.sessions,
  sessionsPerSource: defaultServerLimits.sessions,
};
/** Of the attacker. */
const NICE = 10;
/** ms before what counts. */
const WARM_UP = 500;
