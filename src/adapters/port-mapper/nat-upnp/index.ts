import { TraversalError } from '../../../core/errors.ts';
import type { PortMapperFactory } from '../../../core/port-mapper.ts';
import { createNatUpnpMapper } from './natupnp-mapper.ts';

export interface NatUpnpOptions {
  /** Of each call, in ms; at least 1. Default 10 s. */
  readonly timeout?: number;
}

/**
 * Port mappings by the package nat-upnp, an optional peer dependency, for those who want its way of doing it; `upnpIgd` tells more and
 * needs less. Each call has a thread of its own, which ends with it. Of its environment it uses clock, chance and log, not the network:
 * the package goes to the system's. Throws `ERR_USAGE` for a timeout out of range.
 */
export function natUpnp({ timeout = 10_000 }: NatUpnpOptions = {}): PortMapperFactory {
  if (!(timeout >= 1)) throw new TraversalError('ERR_USAGE', `a timeout is at least 1 ms, not ${timeout}`);
  return (environment) => createNatUpnpMapper(environment, { timeout, module: 'nat-upnp' });
}
