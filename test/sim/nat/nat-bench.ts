import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { Ruling } from '../../../src/sim/middlebox.ts';
import { createNat, type Nat } from '../../../src/sim/nat/nat.ts';
import type { NatSpec } from '../../../src/sim/nat/nat-spec.ts';
import { type Packet, type TcpSegment, tcpPacket, udpPacket } from '../../../src/sim/packet.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

/** A NAT with a clock that tests move: what goes in is an endpoint, what comes out one, or why nothing does. */
export interface NatBench {
  readonly nat: Nat;
  /** ms. */
  now: number;
  /** Sends a UDP packet outwards; gives the external endpoint that it leaves from, or the reason. */
  out(from: Endpoint, to: Endpoint): string;
  /** A UDP packet from outside; gives the internal endpoint that it comes to, or the reason. */
  in(from: Endpoint, to: string): string;
  /** Whom the inside takes for the sender of a UDP packet from outside, which comes in. */
  seen(from: Endpoint, to: string): Endpoint;
  /** To whom a UDP packet goes that is sent outwards, which leaves. */
  sentTo(from: Endpoint, to: Endpoint): Endpoint;
  /** The same for TCP. */
  tcpOut(from: Endpoint, to: Endpoint, flags: Partial<TcpSegment>): string;
  tcpIn(from: Endpoint, to: string, flags: Partial<TcpSegment>): string;
}

export const EXTERNAL = '198.51.100.1';

export function natBench(
  spec: NatSpec = {},
  { seed = 1, addresses = [EXTERNAL] }: { seed?: number; addresses?: readonly string[] } = {},
): NatBench {
  const nat = createNat(spec, seededRandom(seed));
  nat.readdress(addresses, 0);
  const bench: NatBench = {
    nat,
    now: 0,
    out: (from, to) => leaving(nat.outbound(udpPacket(from, to, EMPTY), bench.now)),
    in: (from, to) => arriving(nat.inbound(udpPacket(from, at(to), EMPTY), bench.now)),
    seen: (from, to) => forwarded(nat.inbound(udpPacket(from, at(to), EMPTY), bench.now)).source,
    sentTo: (from, to) => forwarded(nat.outbound(udpPacket(from, to, EMPTY), bench.now)).destination,
    tcpOut: (from, to, flags) => leaving(nat.outbound(tcpPacket(from, to, flags), bench.now)),
    tcpIn: (from, to, flags) => arriving(nat.inbound(tcpPacket(from, at(to), flags), bench.now)),
  };
  return bench;
}

/** An endpoint inside. */
export function inside(host = 2, port = 5000): Endpoint {
  return endpoint(`192.168.1.${host}`, port);
}

/** An endpoint on the internet. */
export function remote(host = 1, port = 3478): Endpoint {
  return endpoint(`203.0.113.${host}`, port);
}

/** Reads what {@link formatEndpoint} writes of an IPv4 endpoint. */
export function at(text: string): Endpoint {
  const [address, port] = text.split(':');
  return endpoint(address!, Number(port));
}

export function portOf(text: string): number {
  return at(text).port;
}

function leaving(ruling: Ruling): string {
  return ruling.action === 'forward' ? formatEndpoint(ruling.packet.source) : refusal(ruling);
}

function arriving(ruling: Ruling): string {
  return ruling.action === 'forward' ? formatEndpoint(ruling.packet.destination) : refusal(ruling);
}

function forwarded(ruling: Ruling): Packet {
  if (ruling.action !== 'forward') throw new Error(refusal(ruling));
  return ruling.packet;
}

function refusal(ruling: Exclude<Ruling, { action: 'forward' }>): string {
  return ruling.action === 'local' ? 'local' : ruling.reason;
}

const EMPTY = new Uint8Array(0);
