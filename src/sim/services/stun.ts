import { endpoint, type Family, formatEndpoint } from '../../core/endpoint.ts';
import { formatIp, parseIp } from '../../core/ip-address.ts';
import { createStunServer } from '../../protocol/stun/index.ts';
import { Fields, usage } from '../fields.ts';
import type { Host } from '../host.ts';
import { ANY, type UdpSocket } from '../udp-socket.ts';
import type { ServiceSite } from './service.ts';
import { StunStreams } from './stun-streams.ts';

/**
 * STUN on UDP and TCP (RFC 8489), of both families and on two ports: so clients can tell whether their NAT maps by port.
 */
export interface StunServiceSpec {
  readonly type: 'stun';
  /** The first port, the other is the next one; 1..65534, default 3478. */
  readonly port?: number;
  /**
   * A second address of the host, or `true` for whichever it has. In its family, clients can then discover everything about
   * their NAT (RFC 5780).
   */
  readonly alternate?: string | true;
}

export function readStunSpec(value: unknown, path: string): StunServiceSpec {
  const fields = new Fields(value, path, ['type', 'port', 'alternate']);
  const port = fields.integer('port', { min: 1, max: 65_534 });
  if (fields.raw('alternate') === true) return { type: 'stun', port, alternate: true };
  const alternate = fields.text('alternate');
  if (alternate !== undefined && parseIp(alternate) === undefined) {
    throw usage(fields.at('alternate'), `must be a numeric IP address or true, not ${alternate}`);
  }
  return { type: 'stun', port, alternate };
}

/** Errors: `ERR_USAGE` when the host has no second address, `ERR_PORT_IN_USE`. */
export function startStun(spec: StunServiceSpec, { host, clock, path }: ServiceSite): void {
  host.serve(() => {
    const pairs = FAMILIES.map((family) => addressPair(spec, host, family));
    if (spec.alternate !== undefined && pairs.every((pair) => pair === undefined)) {
      const wanted = spec.alternate === true ? 'a second address' : `${spec.alternate} beside another address`;
      throw usage(`${path}.alternate`, `${host.name} does not have ${wanted}`);
    }
    for (const [i, family] of FAMILIES.entries()) serve(family, pairs[i]);
    const streams = new StunStreams(clock);
    for (const port of portsOf(spec)) host.tcp.listen({ port }, (socket) => streams.admit(socket));
  });

  function serve(family: Family, pair: AddressPair | undefined): void {
    const [first, second] = portsOf(spec);
    const server = createStunServer(
      pair && { addresses: { primary: endpoint(pair.primary, first), alternate: endpoint(pair.alternate, second) } },
    );
    const addresses = pair === undefined ? [ANY[family]] : [pair.primary, pair.alternate];
    const sockets = new Map<string, UdpSocket>();
    for (const address of addresses) {
      for (const port of [first, second]) {
        const socket = host.udp.bind({ family, address, port });
        sockets.set(formatEndpoint(socket.local), socket);
        socket.onDatagram = (data, from) => {
          const answer = server.handle({ data, from }, socket.local, clock.now());
          if (answer !== undefined) sockets.get(formatEndpoint(answer.from))?.send(answer.reply, answer.to);
        };
      }
    }
  }
}

/** As clients of a rendezvous on the same host are told: `:port` is the host as they know it. */
export function stunNames(spec: StunServiceSpec, host: Host): readonly string[] {
  const [first, second] = portsOf(spec);
  const alternates = FAMILIES.flatMap((family) => addressPair(spec, host, family)?.alternate ?? []);
  return [`:${first}`, `:${second}`, ...alternates.map((address) => formatEndpoint(endpoint(address, first)))];
}

/** Two addresses of the host, of one family. */
interface AddressPair {
  readonly primary: string;
  readonly alternate: string;
}

function addressPair({ alternate }: StunServiceSpec, host: Host, family: Family): AddressPair | undefined {
  if (alternate === undefined) return undefined;
  const own = host.interfaces.flatMap(({ addresses }) =>
    addresses.filter((one) => one.family === family).map(({ address }) => address),
  );
  const second = alternate === true ? own[1] : own.find((address) => address === canonical(alternate));
  const first = own.find((address) => address !== second);
  return first === undefined || second === undefined ? undefined : { primary: first, alternate: second };
}

function canonical(address: string): string | undefined {
  const ip = parseIp(address);
  return ip && formatIp(ip.bytes);
}

function portsOf({ port = DEFAULT_PORT }: StunServiceSpec): [number, number] {
  return [port, port + 1];
}

const FAMILIES: readonly Family[] = [4, 6];
/** RFC 8489 section 8. */
const DEFAULT_PORT = 3478;
