/** RFC 4787 sections 4.1 and 5. `unknown` is never taken for a value. */
export type Dependence = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent' | 'unknown';

/** What is known of the NAT in front of a socket, and why (RFC 4787, RFC 5780). */
export interface NatBehavior {
  readonly mapping: Dependence;
  readonly filtering: Dependence;
  /** Whether the external port equals the internal one. */
  readonly portPreservation: boolean | 'unknown';
  /** Whether there is any translation at all: false when the reflexive address is one of our own. */
  readonly translated: boolean | 'unknown';
  /** One line an observation, for people: what was sent where and what came back. */
  readonly evidence: readonly string[];
}

export const unknownBehavior: NatBehavior = {
  mapping: 'unknown',
  filtering: 'unknown',
  portPreservation: 'unknown',
  translated: 'unknown',
  evidence: [],
};
