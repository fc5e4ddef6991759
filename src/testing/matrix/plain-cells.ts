import { homes } from '../../scenario/index.ts';
import type { GatewaySpec, NatSpec, NetworkSpec, PortAllocation } from '../../sim/index.ts';
import type { MatrixCell } from './cell.ts';
import { NAT_KINDS, type NatKind, natOfKind } from './nat-kind.ts';

/** What the cells of a table of kinds have in common. */
export interface PlainTable {
  readonly title: string;
  readonly allocation: Allocation;
  readonly semantics: Semantics;
  readonly mapping: MappingService;
}

export type Allocation = keyof typeof ALLOCATIONS;
/**
 * `strict`: each mapping has a filter of its own, and what is let in changes nothing. `pinned`: it pins its flow, unless one between the
 * same ends stands on another mapping. `conntrack`: it does so then, too, under another source port, as with Linux conntrack.
 */
export type Semantics = keyof typeof SEMANTICS;
/** Whose router maps ports. */
export type MappingService = keyof typeof MAPPINGS;

const ALLOCATIONS = {
  random: { words: 'random ports', ports: 'random' },
  preserve: { words: 'ports kept', ports: 'preserve' },
  sequential: { words: 'ports in sequence', ports: { sequential: 1 } },
} as const satisfies Record<string, { words: string; ports: PortAllocation }>;

const SEMANTICS = {
  strict: { words: 'strict filters', options: {} },
  pinned: { words: 'pinned flows', options: { pinning: true } },
  conntrack: { words: 'flows as with Linux conntrack', options: { pinning: true, clashes: 'renumbered' } },
} as const satisfies Record<string, { words: string; options: NatSpec }>;

const MAPPINGS = {
  neither: { words: 'no port mapping', dialer: false, listener: false },
  dialer: { words: 'mapping at the dialer', dialer: true, listener: false },
  listener: { words: 'mapping at the listener', dialer: false, listener: true },
  both: { words: 'mapping on both sides', dialer: true, listener: true },
} as const;

/**
 * Tables of 9 x 9, for each way to give out ports: the semantics without port mapping, and strictly, the three ways to have it. With
 * it the semantics make no difference, since every pair is joined.
 */
export const PLAIN_TABLES: readonly PlainTable[] = (
  [
    ['strict', 'neither'],
    ['pinned', 'neither'],
    ['conntrack', 'neither'],
    ['strict', 'dialer'],
    ['strict', 'listener'],
    ['strict', 'both'],
  ] as const
).flatMap(([semantics, mapping]) =>
  (Object.keys(ALLOCATIONS) as readonly Allocation[]).map((allocation) => {
    const title = [ALLOCATIONS[allocation].words, SEMANTICS[semantics].words, MAPPINGS[mapping].words].join(', ');
    return { title, allocation, semantics, mapping };
  }),
);

/** Both sides behind one NAT each: the dialer's kind in the row, the listener's in the column, 81 cells. */
export function plainCells({ title, allocation, semantics, mapping }: PlainTable, seed: number): readonly MatrixCell[] {
  const options = { portAllocation: ALLOCATIONS[allocation].ports, ...SEMANTICS[semantics].options };
  const site = (kind: NatKind, isMapping: boolean): readonly NetworkSpec[] => [
    { nat: natOfKind(kind, options), gateway: isMapping ? GATEWAY : undefined },
  ];
  const { dialer, listener } = MAPPINGS[mapping];
  return NAT_KINDS.flatMap((row) =>
    NAT_KINDS.map((column) => {
      const scenario = homes({ a: site(row, dialer), b: site(column, listener), seed });
      return { table: title, row, column, scenario };
    }),
  );
}

/** Which of the protocols it is makes no difference to what a mapping is good for. */
const GATEWAY: GatewaySpec = { pcp: true };
