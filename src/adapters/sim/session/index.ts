import type { Clock } from '../../../core/clock.ts';
import { TraversalError } from '../../../core/errors.ts';
import type { Identity } from '../../../core/identity.ts';
import type { Random } from '../../../core/random.ts';
import type { Session, SessionFactory, SessionOptions } from '../../../core/session.ts';
import { SimSession } from './session.ts';

export interface SimSessionsOptions {
  /** The time that all timers go by. */
  readonly clock: Clock;
  /** What connection ids and keys are drawn from. */
  readonly random: Random;
}

/**
 * Sessions for simulations: like QUIC's in what they promise, in their round trips, packets and sizes, but in the time of a clock that is
 * given, and the same bytes from the same chance. Keys are proven and packets are sealed, so that nothing in a simulation works that would not
 * elsewhere; all the same nobody has examined this protocol, and it is not for real networks. A client's first packet is transmitted
 * before `create` returns.
 */
export async function simSessions(identity: Identity, { clock, random }: SimSessionsOptions): Promise<SessionFactory> {
  const sessions = new Set<Session>();
  return {
    create(options: SessionOptions): Session {
      if (options.expectedKey.length !== 32) throw new TraversalError('ERR_USAGE', 'an Ed25519 key has 32 bytes');
      const { role, expectedKey, transmit } = options;
      const session = new SimSession({ role, expectedKey, transmit, identity, clock, random });
      sessions.add(session);
      void session.closed.then(() => sessions.delete(session));
      return session;
    },
    close(): void {
      for (const session of sessions) session.close();
    },
  };
}
