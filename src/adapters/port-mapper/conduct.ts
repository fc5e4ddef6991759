import type { Clock } from '../../core/clock.ts';
import { TraversalError } from '../../core/errors.ts';
import {
  checkMappingRequest,
  DEFAULT_LIFETIME,
  type Mapping,
  type MappingRequest,
  type MappingVia,
} from '../../core/port-mapper.ts';
import { type Random, randomInteger } from '../../core/random.ts';

/** The rules that all port mappers keep, whatever their protocol. */

/** ms that a call may take in all, unless an adapter is told otherwise. */
export const DEFAULT_TIMEOUT = 2000;

/** Seconds of a lease that a gateway is believed, a day: the upper limit that RFC 6887 section 15 recommends to clients. */
export const LONGEST_LEASE = 24 * 3600;

/** What a mapping is called in a gateway's table; the prefix is how later runs know their own. */
export const DEFAULT_DESCRIPTION = 'sallyport';

/** A request with its defaults filled in. */
export type CompleteRequest = Required<Omit<MappingRequest, 'internalAddress'>> &
  Pick<MappingRequest, 'internalAddress'>;

/** Errors: `ERR_USAGE` for what is out of range. */
export function completeRequest(request: MappingRequest): CompleteRequest {
  checkMappingRequest(request);
  const { internalPort, externalPort = internalPort, lifetime = DEFAULT_LIFETIME } = request;
  return { onConflict: 'another-port', description: DEFAULT_DESCRIPTION, ...request, externalPort, lifetime };
}

/** Errors: `ERR_USAGE` for a mapping of another adapter. */
export function requireOwn(mapping: Mapping, via: MappingVia): void {
  if (mapping.via === via) return;
  throw new TraversalError('ERR_USAGE', `a mapping made by ${mapping.via} is not for ${via} to renew or release`);
}

/**
 * When a lease of `lifetime` seconds, granted now, ends, and from when to renew it: after 1/2 to 5/8 of it by chance, so that hosts that
 * were switched on together do not ask together (RFC 6887 section 11.2.1). 0 s is a lease without end.
 */
export function leaseTimes(
  lifetime: number,
  { clock, random }: { clock: Clock; random: Random },
): Pick<Mapping, 'lifetime' | 'goodUntil' | 'renewAfter'> {
  if (lifetime === 0) return { lifetime, goodUntil: Number.POSITIVE_INFINITY, renewAfter: Number.POSITIVE_INFINITY };
  const [now, whole] = [clock.now(), lifetime * 1000];
  const jitter = randomInteger(random, 1001) / 1000;
  return { lifetime, goodUntil: now + whole, renewAfter: now + whole / 2 + (whole / 8) * jitter };
}

/** A port to try when the one wished for is taken: of the dynamic range, by chance (RFC 6335 section 6). */
export function anotherPort(random: Random): number {
  return 49_152 + randomInteger(random, 16_384);
}
