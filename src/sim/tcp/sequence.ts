/** Sequence numbers are modulo 2^32 (RFC 9293 section 3.4). */
export function advance(sequence: number, by: number): number {
  return (sequence + by) >>> 0;
}

/** How far `to` is after `from`; negative when it is before. Right for distances below 2^31. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}
