import type { Connection } from '../../src/peer/connection.ts';
import type { InhabitantOptions } from '../peer/world.ts';
import { untilPath } from '../peer/world.ts';
import { type MaliciousRendezvous, maliciousRendezvous } from './malicious-rendezvous.ts';
import { reasonsOf, type VictimsOptions } from './victims.ts';

/** Two victims whose only server is the attacker's. */
export interface Siege {
  readonly attacker: MaliciousRendezvous;
  /** Why they dropped or refused what the server handed them. */
  readonly dropped: readonly string[];
  /** A peer whom the attacker knows by this name. */
  inhabitant(client: string): InhabitantOptions;
  readonly options: VictimsOptions;
}

export function siege(): Siege {
  const attacker = maliciousRendezvous();
  const { reasons, log } = reasonsOf('offer.dropped', 'envelope.dropped', 'offer.rejected');
  const inhabitant = (client: string): InhabitantOptions => ({
    env: { signaling: () => attacker.signaling(client), log },
  });
  return {
    attacker,
    dropped: reasons,
    inhabitant,
    options: { listener: inhabitant('listener'), dialer: inhabitant('dialer') },
  };
}

/** Fulfils when neither side depends on the attacker's relay any more. */
export async function untilDirect({ here, there }: { here: Connection; there: Connection }): Promise<void> {
  await Promise.all([untilPath(here, 'direct'), untilPath(there, 'direct')]);
}
