/** Part of what a packet carried, for whoever has to see to it that it arrives. */
export interface Delivery {
  /** The packet was acknowledged. */
  onArrived(): void;
  /**
   * It is lost, or taken for lost to have something to probe with: it may be told to have arrived all the same, or this once more.
   */
  onLost(): void;
}
