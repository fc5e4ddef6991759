/** How many checks are remembered: 20 minutes of those that ask for consent. */
const REMEMBERED = 256;

/**
 * Where the other side's latest checks came from. A check carries neither time nor sequence, so that whoever has seen
 * one on its way can send it again in anybody's name; it still has one transaction ID and one true source.
 */
export interface RecentChecks {
  /** Whether the check has been here before, from another source; one that has not been here is remembered. */
  isReplay(transactionId: Uint8Array, source: string): boolean;
}

/** The oldest is forgotten for a new one. */
export function createRecentChecks(): RecentChecks {
  return new CheckRing();
}

/** A quarter of what whole IDs and a text for each take, as every connection has one: 1.3 KiB. */
class CheckRing implements RecentChecks {
  /** By {@link shortId}; 0 where there is none yet. */
  readonly #ids = new Uint32Array(REMEMBERED);
  /** Of each check, the place of its source among the known ones. */
  readonly #sources = new Uint8Array(REMEMBERED);
  readonly #known: string[] = [];
  #next = 0;

  isReplay(transactionId: Uint8Array, source: string): boolean {
    const id = shortId(transactionId);
    const first = this.#ids.indexOf(id);
    if (first >= 0) return this.#known[this.#sources[first]!] !== source;
    this.#sources[this.#next] = this.#placeOf(source);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % REMEMBERED;
    return false;
  }

  /** A new source takes the first place that no check but the one to be forgotten needs. */
  #placeOf(source: string): number {
    const known = this.#known.indexOf(source);
    if (known >= 0) return known;
    const taken = new Set(this.#sources.filter((_, slot) => slot !== this.#next));
    let place = 0;
    while (taken.has(place)) place++;
    this.#known[place] = source;
    return place;
  }
}

/**
 * 32 bits of a transaction ID, which is random; never 0. That another check has the same happens once in 16 million
 * times; it is then answered, and asks for no check of ours, but the next one does.
 */
function shortId(transactionId: Uint8Array): number {
  const words = new DataView(transactionId.buffer, transactionId.byteOffset, 12);
  return (words.getUint32(0) ^ words.getUint32(4) ^ words.getUint32(8)) >>> 0 || 2 ** 32 - 1;
}
