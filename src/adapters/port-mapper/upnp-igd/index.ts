import { TraversalError } from '../../../core/errors.ts';
import type { PortMapperFactory } from '../../../core/port-mapper.ts';
import { createIgdMapper } from './igd-mapper.ts';

export interface UpnpIgdOptions {
  /** Of each call, in ms; at least 1. 10 s by default: a search takes up to 6, each request to the gateway up to 3. */
  readonly timeout?: number;
}

/**
 * Port mappings by UPnP Internet Gateway Device, versions 1 and 2, of IPv4. It runs on whatever `Network` it is given. Throws `ERR_USAGE`
 * for a timeout out of range.
 */
export function upnpIgd({ timeout = 10_000 }: UpnpIgdOptions = {}): PortMapperFactory {
  if (!(timeout >= 1)) throw new TraversalError('ERR_USAGE', `a timeout is at least 1 ms, not ${timeout}`);
  return (environment) => createIgdMapper(environment, timeout);
}
