import type { Endpoint } from '../../core/endpoint.ts';

/** ms (RFC 8656 section 9). */
export const PERMISSION_LIFETIME = 300_000;

/** From which addresses an allocation takes data, and to which it sends (RFC 8656 section 9). `now` in ms. */
export class Permissions {
  readonly #limit: number;
  /** When each ends, by address. */
  readonly #until = new Map<string, number>();

  /** `limit`: how many there may be. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether these can be installed, beside those that are. */
  hasRoom(peers: readonly Endpoint[], now: number): boolean {
    const added = new Set(peers.map(({ address }) => address).filter((address) => !this.#until.has(address)));
    if (this.#until.size + added.size <= this.#limit) return true;
    for (const [address, until] of this.#until) if (until <= now) this.#until.delete(address);
    return this.#until.size + added.size <= this.#limit;
  }

  /** Installs or refreshes. */
  install({ address }: Endpoint, now: number): void {
    this.#until.set(address, now + PERMISSION_LIFETIME);
  }

  /** The port does not matter. */
  has({ address }: Endpoint, now: number): boolean {
    return (this.#until.get(address) ?? now) > now;
  }
}
