import type { PacketHeader } from '../../../src/trace/trace-packet.ts';
import type { Entry } from '../model/moment.ts';

/** One line of the diagram: what went from one lane to another, or became of it in one. */
export interface Message {
  /** Of the first entry, which also names it. */
  readonly index: number;
  readonly at: number;
  readonly until: number;
  readonly from: string;
  /** The same as `from`: it ended there. */
  readonly to: string;
  readonly label: string;
  readonly kind: 'signal' | 'packet' | 'dropped' | 'translated';
  /** How many like it followed one another. */
  readonly count: number;
}

export interface Sequence {
  readonly lanes: readonly string[];
  readonly messages: readonly Message[];
}

/** Signalling and packets between peers, NATs and servers; repeats are folded unless `unfolded`. */
export function sequenceOf(entries: readonly Entry[], unfolded: boolean): Sequence {
  const owners = ownersOf(entries);
  const messages: Message[] = [];
  for (const entry of entries) {
    const message = messageOf(entry, owners);
    if (message === undefined) continue;
    const recent = messages.slice(-REACH);
    const repeated = unfolded ? -1 : recent.findLastIndex((one) => isLike(one, message));
    if (repeated < 0) messages.push(message);
    else {
      const first = recent[repeated]!;
      const at = messages.length - recent.length + repeated;
      messages[at] = { ...first, until: message.until, count: first.count + message.count };
    }
  }
  return { lanes: lanesOf(entries, messages), messages };
}

/** As they come up; the first peer on the left, all others on the right. */
function lanesOf(entries: readonly Entry[], messages: readonly Message[]): readonly string[] {
  const lanes = [...new Set(messages.flatMap(({ from, to }) => [from, to]))];
  const peers = new Set(entries.flatMap(({ record }) => ('who' in record ? [record.who] : [])));
  const [first, ...others] = [...peers].filter((who) => lanes.includes(who));
  const between = lanes.filter((lane) => !peers.has(lane));
  return [...(first === undefined ? [] : [first]), ...between, ...others];
}

function isLike(a: Message, b: Message): boolean {
  return a.from === b.from && a.to === b.to && a.label === b.label && a.kind === b.kind;
}

/** Who is at an address: by candidates, and by the packets that places sent from it. */
function ownersOf(entries: readonly Entry[]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { record } of entries) {
    if (record.what === 'candidate') owners.set(record.address, record.who);
    else if (record.what === 'packet') {
      const { packet, became, place, fate } = record;
      if (fate === 'sent') owners.set(packet.from, place);
      else if (fate === 'delivered') owners.set(packet.to, place);
      else if (fate === 'translated' && became !== undefined) {
        const changed = became.from === packet.from ? packet.to : became.from;
        if (!owners.has(changed)) owners.set(changed, place);
      }
    }
  }
  return owners;
}

function messageOf({ index, at, record }: Entry, owners: ReadonlyMap<string, string>): Message | undefined {
  const base = { index, at, until: at };
  if (record.what === 'signal') {
    const [from, to] = record.way === 'sent' ? [record.who, record.carrier] : [record.carrier, record.who];
    return { ...base, from, to, label: record.message, kind: 'signal', count: 1 };
  }
  if (record.what !== 'packet') return undefined;
  const { fate, place, packet, reason, more = 0 } = record;
  const label = record.carries ?? labelOf(packet);
  const count = 1 + more;
  const ownerOf = (address: string): string => owners.get(address) ?? address;
  if (fate === 'dropped') {
    return { ...base, from: place, to: place, label: `${label}: ${reason ?? 'dropped'}`, kind: 'dropped', count };
  }
  if (fate === 'translated') {
    return { ...base, from: place, to: place, label: `${label} translated`, kind: 'translated', count };
  }
  // What one place sent and another received is one arrow, drawn when it was received; what came from elsewhere, too.
  const [from, to] = fate === 'sent' ? [place, ownerOf(packet.to)] : [ownerOf(packet.from), place];
  return { ...base, from, to, label, kind: 'packet', count };
}

function labelOf(packet: PacketHeader): string {
  if (packet.protocol === 'icmp') return `ICMP ${packet.type}`;
  return packet.protocol === 'tcp' ? `TCP ${packet.flags}` : `UDP ${packet.length} B`;
}

/** A repeat is looked for among so many messages. */
const REACH = 4;
