import { formatEndpoint } from '../core/endpoint.ts';
import type { Internet } from '../sim/internet.ts';
import type { Nat, NatMapping } from '../sim/nat/nat.ts';

/** What has changed in the table of a NAT. */
export interface NatChange {
  /** Name of the router. */
  readonly place: string;
  /** With the first change. */
  readonly rules?: { readonly mapping: string; readonly filtering: string };
  /** New mappings, and those whose flows have changed. */
  readonly set: readonly NatMapping[];
  /** Those that are gone. */
  readonly gone: readonly NatMapping[];
}

/** Compares the tables of all NATs of an internet with what they were. */
export class NatWatch {
  readonly #world: Internet;
  readonly #tables: readonly Table[];
  readonly #tell: (change: NatChange) => void;
  #lookedAt = 0;
  #isDirty = true;

  constructor(world: Internet, tell: (change: NatChange) => void) {
    this.#world = world;
    this.#tell = tell;
    this.#tables = world.networks.flatMap(({ name, translator }) =>
      translator === undefined ? [] : [{ place: name, nat: translator, isTold: false, told: new Map() }],
    );
  }

  /** Some NAT may have changed. */
  touch(): void {
    this.#isDirty = true;
  }

  /** Tells what has changed, from time to time; to be called whenever anything happens. */
  look(): void {
    const now = this.#world.clock.now();
    if (now - this.#lookedAt < (this.#isDirty ? LIVELY : CALM)) return;
    this.#lookedAt = now;
    this.#isDirty = false;
    for (const table of this.#tables) this.#compare(table, now);
  }

  #compare(table: Table, now: number): void {
    const { place, nat, isTold, told } = table;
    const present = new Map(nat.mappings(now).map((mapping) => [keyOf(mapping), mapping]));
    const gone = [...told].filter(([key]) => !present.has(key)).map(([, { mapping }]) => mapping);
    const set = [...present].flatMap(([key, mapping]) => (told.get(key)?.text === textOf(mapping) ? [] : [mapping]));
    if (isTold && gone.length === 0 && set.length === 0) return;
    table.isTold = true;
    table.told = new Map([...present].map(([key, mapping]) => [key, { mapping, text: textOf(mapping) }]));
    const { mapping, filtering } = nat.rules;
    this.#tell({ place, ...(!isTold && { rules: { mapping, filtering } }), set, gone });
  }
}

interface Table {
  readonly place: string;
  readonly nat: Nat;
  isTold: boolean;
  told: ReadonlyMap<string, { readonly mapping: NatMapping; readonly text: string }>;
}

function keyOf({ protocol, internal, external }: NatMapping): string {
  return `${protocol} ${formatEndpoint(internal)} ${formatEndpoint(external)}`;
}

function textOf({ remotes, isExplicit }: NatMapping): string {
  return `${isExplicit} ${remotes.map(formatEndpoint).join(' ')}`;
}

/** ms of virtual time between two looks, after a packet was translated and otherwise. */
const LIVELY = 20;
const CALM = 1_000;
