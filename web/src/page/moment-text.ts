/** ms of the axis as seconds, to the tenth of a millisecond. */
export function momentText(at: number): string {
  return (at / 1_000).toFixed(4);
}
