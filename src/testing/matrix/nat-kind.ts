import type { NatDependence, NatSpec } from '../../sim/index.ts';

/** A NAT by its mapping and its filtering: EI endpoint-independent, AD address-dependent, APD address-and-port-dependent. */
export type NatKind = (typeof NAT_KINDS)[number];

/** Mapping x filtering, nine of them, the most open first. */
export const NAT_KINDS = [
  'EI/EI',
  'EI/AD',
  'EI/APD',
  'AD/EI',
  'AD/AD',
  'AD/APD',
  'APD/EI',
  'APD/AD',
  'APD/APD',
] as const;

/** All unordered pairs of kinds, 45 of them. */
export const NAT_PAIRS: readonly (readonly [NatKind, NatKind])[] = NAT_KINDS.flatMap((a, i) =>
  NAT_KINDS.slice(i).map((b) => [a, b] as const),
);

/** A NAT of that kind; what else it does is up to `options` and the defaults of the simulator. */
export function natOfKind(kind: NatKind, options: NatSpec = {}): NatSpec {
  const [mapping, filtering] = kind.split('/') as [Word, Word];
  return { mapping: WORDS[mapping], filtering: WORDS[filtering], ...options };
}

type Word = keyof typeof WORDS;

const WORDS = {
  EI: 'endpoint-independent',
  AD: 'address-dependent',
  APD: 'address-and-port-dependent',
} as const satisfies Record<string, NatDependence>;
