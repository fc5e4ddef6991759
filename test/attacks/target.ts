import type { PathInfo } from '../../src/core/path.ts';
import type { Session } from '../../src/core/session.ts';
import type { World } from '../peer/world.ts';
import { type HostileNetwork, hostileNetwork } from './hostile-network.ts';
import { untilDirect } from './siege.ts';
import { connected, credentialsOf, type Standing, type VictimsOptions, watchedSessions } from './victims.ts';

export type Side = 'listener' | 'dialer';

export const SIDES: readonly Side[] = ['listener', 'dialer'];

export const otherSide = (side: Side): Side => (side === 'listener' ? 'dialer' : 'listener');

/** A connection that goes directly from port to port, both in reach of the attacker, and all that he might have got hold of. */
export interface Target extends Standing {
  readonly networks: Readonly<Record<Side, HostileNetwork>>;
  readonly sessions: Readonly<Record<Side, Session>>;
  /** What one who holds the ticket and knows the session id puts into a check for this side. */
  checkFor(side: Side): { readonly username: string; readonly pwd: string };
  /** The password under which this side answers checks. */
  pwdOf(side: Side): string;
  /** The path that this side sends on. */
  pathOf(side: Side): PathInfo | undefined;
}

export async function target(world: World, options: VictimsOptions = {}): Promise<Target> {
  const networks = { listener: hostileNetwork(), dialer: hostileNetwork() };
  const watched = { listener: watchedSessions(), dialer: watchedSessions() };
  const on = (side: Side) => ({
    ...options[side],
    env: { ...options[side]?.env, network: networks[side], sessions: watched[side].sessions },
  });
  const pair = await connected(world, { listener: on('listener'), dialer: on('dialer') });
  await untilDirect(pair);
  const credentials = credentialsOf(pair.ticket, pair.here);
  return {
    ...pair,
    networks,
    sessions: { listener: watched.listener.made[0]!, dialer: watched.dialer.made[0]! },
    checkFor: (side) => ({
      username: `${credentials[side].ufrag}:${credentials[otherSide(side)].ufrag}`,
      pwd: credentials[side].pwd,
    }),
    pwdOf: (side) => credentials[side].pwd,
    pathOf: (side) => (side === 'listener' ? pair.there : pair.here).path,
  };
}
