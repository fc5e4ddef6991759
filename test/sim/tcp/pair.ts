import { endpoint } from '../../../src/core/endpoint.ts';
import type { Host } from '../../../src/sim/host.ts';
import { type Internet, internet, type LinkSpec, type TcpSocket } from '../../../src/sim/index.ts';
import type { Packet, TcpSegment } from '../../../src/sim/packet.ts';
import { addressOf } from '../datagrams.ts';

/** Two hosts on the internet, 40 ms apart there and back unless their links say otherwise. */
export class TcpPair {
  readonly world: Internet;
  readonly client: Host;
  readonly server: Host;
  readonly #segments: string[] = [];

  constructor({ link = { latency: 10 }, seed = 1 }: { link?: LinkSpec; seed?: number } = {}) {
    this.world = internet({ seed });
    this.client = this.world.host('client', { link });
    this.server = this.world.host('server', { link });
  }

  /** Both ends of one connection. */
  async connected(port = 80): Promise<{ client: TcpSocket; server: TcpSocket }> {
    const accepted = new Promise<TcpSocket>((resolve) => {
      this.server.tcp.listen({ port }, resolve);
    });
    const client = await this.world.clock.runUntil(this.dial(port));
    return { client, server: await this.world.clock.runUntil(accepted) };
  }

  dial(port = 80, localPort = 0): Promise<TcpSocket> {
    return this.client.tcp.connect({ remote: endpoint(addressOf(this.server), port), localPort });
  }

  /** The flags of every segment that is sent from now on, with its sender and its time. */
  segments(): readonly string[] {
    this.world.watch(({ fate, packet, place, at }) => {
      if (fate === 'sent' && packet.protocol === 'tcp')
        this.#segments.push(`${at} ${place} ${flagsOf(packet.segment)}`);
    });
    return this.#segments;
  }

  /** Keeps segments from arriving at `host` that fit; they are gone. */
  swallow(host: Host, fits: (packet: Packet) => boolean): void {
    const deliver = host.tcp.deliver.bind(host.tcp);
    host.tcp.deliver = (packet) => fits(packet) || deliver(packet);
  }
}

function flagsOf({ syn, ack, fin, rst, payload }: TcpSegment): string {
  const flags = Object.entries({ SYN: syn, FIN: fin, RST: rst, ACK: ack }).filter(([, on]) => on);
  return [flags.map(([name]) => name).join('-'), ...(payload.length > 0 ? [payload.length] : [])].join(' ');
}

export async function readAll(socket: TcpSocket): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}
