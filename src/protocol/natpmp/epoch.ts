/** Tells from its Seconds Since Start of Epoch whether a gateway has lost its mappings (RFC 6886 section 3.6). */
export interface NatPmpEpoch {
  /** True when `seconds`, heard at `now` ms, is more than 2 s behind what must have passed by the gateway's clock. */
  observe(seconds: number, now: number): boolean;
}

/** The gateway's clock may be slow: it counts for 7/8 of ours. */
const SLOWEST = 7 / 8;
/** Seconds. */
const TOLERANCE = 2;

export function natPmpEpoch(): NatPmpEpoch {
  let last: { readonly seconds: number; readonly at: number } | undefined;
  return {
    observe(seconds, now) {
      const least = last && last.seconds + ((now - last.at) / 1000) * SLOWEST;
      last = { seconds, at: now };
      return least !== undefined && seconds < least - TOLERANCE;
    },
  };
}
