import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { type AddressKind, classifyAddress, parseIp } from '../../core/ip-address.ts';
import type { Gateway, NetworkInterface } from '../../core/network.ts';
import { type DefaultRoute, parseNetstatRoutes, parseProcRoutes, parseRoutePrint } from './default-route.ts';
import { hostInterfaces } from './interfaces.ts';
import { systemCodeOf, systemError } from './system-error.ts';

/** Gateways of this host, from the system's routing table. Errors: those of `Network.gateways`. */
export async function hostGateways(): Promise<readonly Gateway[]> {
  try {
    return gatewaysOf(await defaultRoutes(), hostInterfaces());
  } catch (error) {
    throw systemError(error, 'reading the routing table');
  }
}

/** The gateways of routes by interfaces that are up and have an address of the route's family, each once, best first. */
export function gatewaysOf(routes: readonly DefaultRoute[], interfaces: readonly NetworkInterface[]): Gateway[] {
  const found = new Map<string, Gateway>();
  for (const { gateway, family, via } of [...routes].sort((a, b) => a.metric - b.metric)) {
    const name = interfaces.find((one) => [one.name, one.address, zoneOf(one.address)].includes(via))?.name;
    const locals = interfaces.filter((one) => one.name === name && one.family === family);
    const local = [...locals].sort((a, b) => fitness(b.address, gateway) - fitness(a.address, gateway))[0]?.address;
    if (name === undefined || local === undefined) continue;
    const zone = locals.map(({ address }) => zoneOf(address)).find((text) => text !== undefined);
    const needsZone = family === 6 && classifyAddress(gateway) === 'link-local' && zoneOf(gateway) === undefined;
    const address = needsZone ? `${gateway}%${zone ?? name}` : gateway;
    if (!found.has(address)) found.set(address, { address, family, interface: name, local });
  }
  return [...found.values()];
}

/** Bounds for a system's own command: ms, and bytes of its output. */
const COMMAND = { timeout: 2000, maxBuffer: 2 ** 20, windowsHide: true };

const run = promisify(execFile);

async function defaultRoutes(): Promise<DefaultRoute[]> {
  switch (process.platform) {
    case 'linux': {
      const [ipv4, ipv6] = await Promise.all(['/proc/net/route', '/proc/net/ipv6_route'].map(readOrEmpty));
      return parseProcRoutes(ipv4!, ipv6!, endianness() === 'LE');
    }
    case 'win32':
      return parseRoutePrint((await run('route', ['print'], COMMAND)).stdout);
    default:
      return parseNetstatRoutes((await run('netstat', ['-rn'], COMMAND)).stdout);
  }
}

/** A family that is switched off has no table. */
async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/**
 * How well a local address suits a gateway: IPv6 by its reach, since the gateway's own is link-local; then by the bits they share, for
 * an interface in several networks.
 */
function fitness(local: string, gateway: string): number {
  const [ours, theirs] = [parseIp(local)!, parseIp(gateway)!];
  const reach = ours.family === 4 ? 0 : (REACH[classifyAddress(local)] ?? 0);
  return reach * 1000 + sharedBits(ours.bytes, theirs.bytes);
}

const REACH: Partial<Record<AddressKind, number>> = { public: 3, private: 2, 'link-local': 1 };

function sharedBits(a: Uint8Array, b: Uint8Array): number {
  const first = a.findIndex((byte, i) => byte !== b[i]);
  return first < 0 ? 8 * a.length : 8 * first + Math.clz32(a[first]! ^ b[first]!) - 24;
}

function zoneOf(address: string): string | undefined {
  return address.split('%')[1];
}
