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

/** How Node wants the interface of a multicast group named: by its address, or for IPv6 by its zone, as `::%eth0`. */
export function multicastInterface(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.split('%')[1] ?? zoneOfAddress(address);
  return zone === undefined ? '::' : `::%${zone}`;
}

/** The zone of the interface that has a global address. */
function zoneOfAddress(address: string): string | undefined {
  const interfaces = hostInterfaces();
  const name = interfaces.find((other) => other.address === address)?.name;
  if (process.platform !== 'win32') return name;
  return interfaces.find((other) => other.name === name && other.address.includes('%'))?.address.split('%')[1];
}

/** Windows names a zone by its number, the others by the interface. */
function zoneOf(name: string, scopeId: number): string {
  return process.platform === 'win32' ? String(scopeId) : name;
}
