import { TraversalError } from '../core/errors.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Throws `ERR_USAGE` where a port is none, before it is bound. */
export function requirePort(port: number, doing: string): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new TraversalError('ERR_USAGE', `${doing}: a port is a whole number in 0..65535`);
}

/**
 * A port of 49152..65535 (RFC 6335 section 6) that is free, chosen by chance and the next ones after it (RFC 6056 section 3.3.1).
 * Errors: `ERR_NETWORK` when all are taken.
 */
export function ephemeralPort(random: SeededRandom, isFree: (port: number) => boolean, doing: string): number {
  const first = random.below(EPHEMERAL.count);
  for (let i = 0; i < EPHEMERAL.count; i++) {
    const port = EPHEMERAL.first + ((first + i) % EPHEMERAL.count);
    if (isFree(port)) return port;
  }
  throw new TraversalError('ERR_NETWORK', `${doing}: all ports of the host are taken`);
}

const EPHEMERAL = { first: 49_152, count: 16_384 };
