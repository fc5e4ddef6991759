import type { NatRecord, TracedMapping } from '../../../src/trace/trace-format.ts';
import type { Entry, Moment, NatState, PeerState, Source } from './moment.ts';
import { PeerDraft, peerKey } from './peer-draft.ts';

/** Makes moments by taking entries one after the other: each costs little, and a moment what has changed since the last one. */
export class MomentBuilder {
  readonly #peers = new Map<string, PeerDraft>();
  readonly #nats: Map<string, NatState>;
  #index: number;
  #at: number;

  /** Goes on from a moment; absent: before everything. */
  constructor(from?: Moment) {
    this.#index = from?.index ?? -1;
    this.#at = from?.at ?? 0;
    this.#nats = new Map(from?.nats);
    for (const peer of from?.peers.values() ?? []) this.#peers.set(peer.key, new PeerDraft(peer, peer));
  }

  apply({ index, at, source, record }: Entry): void {
    this.#index = index;
    this.#at = at;
    if (record.what === 'nat') this.#changeNat(record);
    else if ('who' in record) this.#peerOf(source, record.who).apply(record, at, index);
  }

  moment(): Moment {
    const peers = new Map<string, PeerState>();
    for (const [key, draft] of this.#peers) peers.set(key, draft.state);
    return { index: this.#index, at: this.#at, peers, nats: new Map(this.#nats) };
  }

  #peerOf(source: Source, who: string): PeerDraft {
    const key = peerKey(source, who);
    const known = this.#peers.get(key);
    if (known !== undefined) return known;
    const added = new PeerDraft({ key, who, source });
    this.#peers.set(key, added);
    return added;
  }

  #changeNat({ place, rules, set, gone }: NatRecord): void {
    const before = this.#nats.get(place);
    const mappings = new Map(before?.mappings.map((mapping) => [keyOf(mapping), mapping]));
    for (const mapping of gone) mappings.delete(keyOf(mapping));
    for (const mapping of set) mappings.set(keyOf(mapping), mapping);
    const known = rules ?? before?.rules;
    this.#nats.set(place, { place, ...(known !== undefined && { rules: known }), mappings: [...mappings.values()] });
  }
}

function keyOf({ protocol, internal, external }: Pick<TracedMapping, 'protocol' | 'internal' | 'external'>): string {
  return `${protocol} ${internal} ${external}`;
}
