import { endpoint, type Family } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { Host } from '../../sim/host.ts';

/** Addresses by the simulation's own names, at once; a numeric address is its own answer. Errors: those of `Network.resolve`. */
export function resolveHost(
  on: Host,
  host: string,
  { family, signal }: { family?: Family; signal?: AbortSignal } = {},
): readonly string[] {
  const doing = `resolving ${host}`;
  if (signal?.aborted) throw new TraversalError('ERR_ABORTED', `${doing}: aborted`, { cause: signal.reason });
  const known = parseIp(host) === undefined ? on.resolve(host) : [endpoint(host, 0).address];
  const answers = known.filter((address) => family === undefined || endpoint(address, 0).family === family);
  if (answers.length > 0) return answers;
  const why = known.length === 0 ? 'no simulated host has that name' : `it has no IPv${family} address`;
  throw new TraversalError('ERR_RESOLVE', `${doing}: ${why}`);
}
