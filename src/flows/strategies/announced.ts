import { type Endpoint, endpoint, parseEndpoint } from '../../core/endpoint.ts';
import { type AddressKind, classifyAddress, parseIp } from '../../core/ip-address.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';
import { shown, usage } from '../usage.ts';

/**
 * Addresses of which the user knows that they lead here, such as the public one of a machine in a cloud, which its interfaces do not
 * have. An address alone, `203.0.113.9` or `2001:db8::9`, is for all the peer's sockets by the ports that these have here, UDP and TCP,
 * as a NAT does that translates one to one. With a port, `203.0.113.9:5000` or `[2001:db8::9]:5000`, it leads to the UDP socket.
 * Errors: `ERR_USAGE` for what is no numeric address that others could send to.
 */
export function announced(addresses: readonly [string, ...string[]]): StrategyStep<'candidates'> {
  if (!Array.isArray(addresses)) throw usage('announced', `${shown(addresses)} is no array of addresses`);
  if (addresses.length === 0) throw usage('announced', 'no addresses');
  const outside = addresses.map(readAddress);
  return defineStrategy({
    name: 'announced',
    gives: 'candidates',
    bounds: { time: 1_000, packets: 0, sockets: 0 },
    async run({ env }) {
      for (const address of outside) env.announce(address, 'mapped');
      return { ok: true };
    },
  });
}

function readAddress(text: unknown): Endpoint {
  if (typeof text !== 'string') throw usage('announced', `${shown(text)} is no numeric address`);
  const read = parseIp(text) === undefined ? parseEndpoint(text) : endpoint(text, 0);
  const kind = read && classifyAddress(read.address);
  if (read !== undefined && kind !== undefined && !UNFIT.has(kind)) return read;
  throw usage('announced', `'${text}' is no numeric address that others could send to`);
}

const UNFIT: ReadonlySet<AddressKind> = new Set(['multicast', 'broadcast', 'unspecified', 'deprecated']);
