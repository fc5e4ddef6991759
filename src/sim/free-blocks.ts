import { type Prefix, parsePrefix } from './prefix.ts';

/** Blocks of addresses for networks that do not name theirs. */
export class FreeBlocks {
  #public = 0;
  #private = 0;
  #ipv6 = 0;

  /** A /24: of 198.19.0.0/16 (RFC 2544) where it is to be reached from the internet, else of 10.0.0.0/8 (RFC 1918). */
  ipv4(isPublic: boolean): Prefix {
    const text = isPublic ? `198.19.${this.#public++}.0/24` : `10.${this.#private >> 8}.${this.#private++ & 0xff}.0/24`;
    return parsePrefix(text)!;
  }

  /** A /64 of 2001:db8:1::/48 (RFC 3849). */
  ipv6(): Prefix {
    return parsePrefix(`2001:db8:1:${(this.#ipv6++).toString(16)}::/64`)!;
  }
}
