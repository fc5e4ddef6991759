import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import type { Host } from '../../src/sim/host.ts';
import type { Internet, UdpSocket } from '../../src/sim/index.ts';
import type { PacketRecord } from '../../src/sim/packet-log.ts';
import { formatPacketRecord } from '../../src/sim/packet-log.ts';

/** A UDP socket that answers every datagram with the address it came from, and remembers those. */
export function reflector(
  host: Host,
  port: number,
  family: 4 | 6 = 4,
): { readonly seen: string[]; readonly at: Endpoint } {
  const socket = host.udp.bind({ family, port });
  const seen: string[] = [];
  socket.onDatagram = (_data, from) => {
    seen.push(`${from.address}:${from.port}`);
    socket.send(Buffer.from(seen.at(-1)!), from);
  };
  return { seen, at: endpoint(host.sourceFor(addressOf(host, family))!, port) };
}

/** A UDP socket that remembers what it hears, as text. */
export function hearing(
  host: Host,
  port = 0,
  family: 4 | 6 = 4,
): { readonly socket: UdpSocket; readonly heard: string[] } {
  const socket = host.udp.bind({ family, port });
  const heard: string[] = [];
  socket.onDatagram = (data) => heard.push(Buffer.from(data).toString());
  return { socket, heard };
}

export function addressOf(host: Host, family: 4 | 6 = 4): string {
  return host.interfaces.map((one) => one.addressOf(family)).find((address) => address !== undefined)!;
}

/** All that becomes of packets in a world, as lines; `of` picks some. */
export function trace(world: Internet, of: (record: PacketRecord) => boolean = () => true): string[] {
  const lines: string[] = [];
  world.watch((record) => {
    if (of(record)) lines.push(formatPacketRecord(record));
  });
  return lines;
}

/** Why packets were dropped, where, in order. */
export function drops(world: Internet): string[] {
  const lines: string[] = [];
  world.watch(({ fate, place, reason }) => {
    if (fate === 'dropped') lines.push(`${place}: ${reason}`);
  });
  return lines;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
