import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';

/** Internal endpoints that a firewall lets everybody send to, by request and for a time (RFC 6887 section 2.2). Times are in ms. */
export class Pinholes {
  readonly #holes = new Map<string, Pinhole>();

  /** Opens one, or keeps the one that is open for so long. */
  open(pinhole: Pinhole): void {
    this.#holes.set(key(pinhole.protocol, pinhole.internal), pinhole);
  }

  /** Sessions that came in by it go on. */
  close(protocol: Pinhole['protocol'], internal: Endpoint): void {
    this.#holes.delete(key(protocol, internal));
  }

  has(protocol: Pinhole['protocol'], internal: Endpoint, now: number): boolean {
    const hole = this.#holes.get(key(protocol, internal));
    return hole !== undefined && now < hole.until;
  }

  /** Those that are open, the oldest first; the others are forgotten. */
  list(now: number): readonly Pinhole[] {
    for (const [key, { until }] of this.#holes) if (now >= until) this.#holes.delete(key);
    return [...this.#holes.values()];
  }

  clear(): void {
    this.#holes.clear();
  }
}

export interface Pinhole {
  readonly protocol: 'udp' | 'tcp';
  readonly internal: Endpoint;
  /** Virtual time; `Infinity` for one without end. */
  readonly until: number;
  readonly description: string;
}

function key(protocol: Pinhole['protocol'], internal: Endpoint): string {
  return `${protocol} ${formatEndpoint(internal)}`;
}
