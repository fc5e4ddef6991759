/** How many checks are remembered: 20 minutes of those that ask for consent. */
const REMEMBERED = 256;
/** Bytes of a transaction ID (RFC 8489 section 5). */
const ID_LENGTH = 12;

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
  /** 3 KiB; a slot is in use when it has a source. */
  const ids = Buffer.alloc(REMEMBERED * ID_LENGTH);
  const sources: string[] = [];
  let next = 0;

  const sourceOf = (transactionId: Uint8Array): string | undefined => {
    for (let at = ids.indexOf(transactionId); at >= 0; at = ids.indexOf(transactionId, at + 1)) {
      if (at % ID_LENGTH === 0) return sources[at / ID_LENGTH];
    }
    return undefined;
  };

  return {
    isReplay(transactionId, source) {
      const first = sourceOf(transactionId);
      if (first !== undefined) return first !== source;
      ids.set(transactionId, next * ID_LENGTH);
      // Few sources make many checks: each text is kept once.
      sources[next] = sources.find((known) => known === source) ?? source;
      next = (next + 1) % REMEMBERED;
      return false;
    },
  };
}
