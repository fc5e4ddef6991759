import { type Random, randomInteger } from '../../core/random.ts';
import type { NatRules } from './nat-spec.ts';

/** What a port may be given out for, at the time of asking. */
export interface PortUse {
  /** Nobody has it. */
  isFree(port: number): boolean;
  /** Somebody has it, and it may be given out once more (RFC 7857 section 3, RFC 4787 section 4.2.1). */
  isShareable(port: number): boolean;
}

/** Gives out external ports (RFC 4787 section 4.2). */
export class PortAllocator {
  readonly #rules: NatRules;
  readonly #random: Random;
  /** Offset of the last port that was given out in sequence, by pool. */
  readonly #last = new Map<string, number>();

  constructor(rules: NatRules, random: Random) {
    this.#rules = rules;
    this.#random = random;
  }

  /**
   * A port for a mapping of `internalPort`; `undefined` when none is left. `pool` names the protocol and external
   * address that the port is one of.
   */
  allocate(pool: string, internalPort: number, use: PortUse): number | undefined {
    const { portAllocation, ports } = this.#rules;
    if (portAllocation === 'preserve' && internalPort >= ports.first && internalPort <= ports.last) {
      if (use.isFree(internalPort) || use.isShareable(internalPort)) return internalPort;
    }
    return (
      this.#search(pool, internalPort, (port) => use.isFree(port)) ??
      (this.#rules.portReuse === 'none' ? undefined : this.#search(pool, internalPort, (port) => use.isShareable(port)))
    );
  }

  /** Begins anew, as after a reboot. */
  reset(): void {
    this.#last.clear();
  }

  #search(pool: string, internalPort: number, isUsable: (port: number) => boolean): number | undefined {
    const { portAllocation } = this.#rules;
    if (typeof portAllocation === 'object') return this.#searchInSequence(pool, portAllocation.sequential, isUsable);
    if (portAllocation === 'parity') {
      const port = this.#searchAtRandom(internalPort % 2, 2, isUsable);
      if (port !== undefined) return port;
    }
    return this.#searchAtRandom(0, 1, isUsable);
  }

  #searchInSequence(pool: string, delta: number, isUsable: (port: number) => boolean): number | undefined {
    const { first, last } = this.#rules.ports;
    const size = last - first + 1;
    let offset = this.#last.get(pool) ?? randomInteger(this.#random, size);
    for (let tries = 0; tries < size; tries++) {
      offset = (offset + delta) % size;
      if (!isUsable(first + offset)) continue;
      this.#last.set(pool, offset);
      return first + offset;
    }
    return undefined;
  }

  /** Of the ports that are `remainder` modulo `step`, the first usable one from a random one on. */
  #searchAtRandom(remainder: number, step: number, isUsable: (port: number) => boolean): number | undefined {
    const { first, last } = this.#rules.ports;
    const lowest = first + ((remainder + step - (first % step)) % step);
    if (lowest > last) return undefined;
    const count = Math.floor((last - lowest) / step) + 1;
    const start = randomInteger(this.#random, count);
    for (let i = 0; i < count; i++) {
      const port = lowest + step * ((start + i) % count);
      if (isUsable(port)) return port;
    }
    return undefined;
  }
}
