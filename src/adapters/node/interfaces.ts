import { networkInterfaces } from 'node:os';
import { endpoint } from '../../core/endpoint.ts';
import type { NetworkInterface } from '../../core/network.ts';

/**
 * Addresses of this host. A link-local IPv6 address carries its zone, without which nothing can be sent from it (RFC
 * 4007).
 */
export function hostInterfaces(): NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map((info) => {
      const zone = info.family === 'IPv6' && info.scopeid !== 0 ? `%${zoneOf(name, info.scopeid)}` : '';
      const { address, family } = endpoint(info.address + zone, 0);
      return { name, address, family, internal: info.internal };
    }),
  );
}

/** Windows names a zone by its number, the others by the interface. */
function zoneOf(name: string, scopeId: number): string {
  return process.platform === 'win32' ? String(scopeId) : name;
}
