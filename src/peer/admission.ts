import { TraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Log } from '../core/log.ts';
import type { Accept, Dialer } from './peer.ts';

/** Who is let in, as the user of a peer said. */
export interface Admission {
  readonly takesTickets: boolean;
  /** Whether anybody may come without a ticket. */
  readonly takesKeys: boolean;
  /** False when this key will not be let in without a ticket, whatever else it shows. */
  mayCome(key: Uint8Array): boolean;
  /** What goes wrong in a function of the user's is for this side's log only; it lets nobody in. */
  decide(dialer: Dialer): Promise<boolean>;
}

/** Throws `ERR_USAGE` for a key that is none. */
export function createAdmission(accept: Accept, log: Log): Admission {
  if (typeof accept === 'function') {
    return {
      takesTickets: true,
      takesKeys: true,
      mayCome: () => true,
      async decide(dialer) {
        try {
          return await accept(dialer);
        } catch (error) {
          log('accept.failed', { error: String(error) });
          return false;
        }
      },
    };
  }
  const { tickets = true, keys = [] } = accept;
  for (const key of keys) checkKey(key);
  const known = new Set(keys.map(toHex));
  const mayCome = (key: Uint8Array): boolean => known.has(toHex(key));
  return {
    takesTickets: tickets,
    takesKeys: known.size > 0,
    mayCome,
    decide: async ({ key, ticket }) => (ticket === undefined ? mayCome(key) : tickets),
  };
}

/** Throws `ERR_USAGE` when these are not the 32 bytes of an Ed25519 key. */
export function checkKey(key: Uint8Array): void {
  if (key.length !== 32) throw new TraversalError('ERR_USAGE', `a peer's key has 32 bytes, not ${key.length}`);
}
