import type { Family } from '../core/endpoint.ts';
import { classifyAddress, formatIp, parseIp } from '../core/ip-address.ts';
import { usage } from './fields.ts';
import { familyOf } from './node.ts';
import { addressAt, contains, formatPrefix, type Prefix, parsePrefix } from './prefix.ts';

/** Who has which address in a network. */
export class AddressBook {
  readonly #fits: (address: string) => string | undefined;
  readonly #pools: readonly Pool[];
  readonly #taken = new Set<string>();
  /** Given back, and not taken since. */
  readonly #returned = new Set<string>();

  /** Free addresses are taken from `pools`, one after the other; `fits` says why an address cannot be in the network. */
  constructor(pools: readonly PoolRange[], fits: (address: string) => string | undefined) {
    this.#pools = pools.map((range) => ({ ...range, next: range.first }));
    this.#fits = fits;
  }

  /** Families that have free addresses at all. */
  get families(): readonly Family[] {
    return [...new Set(this.#pools.map(({ prefix }) => prefix.family))];
  }

  /** Takes an address that was asked for, and gives it in canonical text. Errors: `ERR_USAGE`. */
  take(text: string, path: string): string {
    const ip = parseIp(text);
    if (ip === undefined) throw usage(path, `must be a numeric IP address, not ${text}`);
    const address = formatIp(ip.bytes);
    const why = this.#taken.has(address) ? 'somebody has it already' : this.#fits(address);
    if (why !== undefined) throw usage(path, `${address} cannot be used: ${why}`);
    this.#taken.add(address);
    return address;
  }

  /** Takes a free address of a family, one that nobody has had as long as there are such. Errors: `ERR_USAGE`. */
  takeFree(family: Family, path: string): string {
    const fresh = this.#pools.filter(({ prefix }) => prefix.family === family).map((pool) => () => this.#nextIn(pool));
    const returned = (): string | undefined => [...this.#returned].find((address) => familyOf(address) === family);
    for (const source of [...fresh, returned]) {
      const address = source();
      if (address === undefined) continue;
      this.#returned.delete(address);
      this.#taken.add(address);
      return address;
    }
    throw usage(path, `there is no free IPv${family} address left in the network`);
  }

  release(address: string): void {
    if (this.#taken.delete(address)) this.#returned.add(address);
  }

  #nextIn(pool: Pool): string | undefined {
    while (pool.next < pool.end && isUsable(pool.prefix, pool.next)) {
      const address = addressAt(pool.prefix, pool.next++)!;
      if (!this.#taken.has(address) && !this.#returned.has(address)) return address;
    }
    return undefined;
  }
}

/** For a network that has exactly these blocks: the `first`th address and those after it are given out, then those before. */
export function addressBookOf(prefixes: readonly Prefix[], first: number): AddressBook {
  const pools = prefixes.flatMap((prefix) => [
    { prefix, first, end: Number.POSITIVE_INFINITY },
    { prefix, first: 1, end: first },
  ]);
  return new AddressBook(pools, (address) => {
    if (prefixes.some((prefix) => contains(prefix, address))) return undefined;
    return `the network is ${prefixes.map(formatPrefix).join(' and ')}`;
  });
}

/** For the public internet: any public address, free ones from the blocks for documentation and benchmarks. */
export function publicAddressBook(): AddressBook {
  return new AddressBook(PUBLIC_POOLS, (address) => {
    const kind = classifyAddress(address);
    return kind === 'public' ? undefined : `it is ${kind}, and nobody routes it on the internet`;
  });
}

/** Part of a block: addresses counted from its first one, `end` not included. */
interface PoolRange {
  readonly prefix: Prefix;
  readonly first: number;
  readonly end: number;
}

interface Pool extends PoolRange {
  next: number;
}

/** Not the last address of an IPv4 block, which is for broadcast (RFC 919). */
function isUsable(prefix: Prefix, offset: number): boolean {
  return addressAt(prefix, prefix.family === 4 ? offset + 1 : offset) !== undefined;
}

/** RFC 5737, RFC 2544; RFC 3849. */
const PUBLIC_POOLS = ['203.0.113.0/24', '198.51.100.0/24', '198.18.0.0/16', '2001:db8::/64'].map((text) => ({
  prefix: parsePrefix(text)!,
  first: 1,
  end: Number.POSITIVE_INFINITY,
}));
