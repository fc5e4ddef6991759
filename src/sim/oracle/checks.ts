import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { udpPacket } from '../packet.ts';
import type { Arena } from './arena.ts';
import type { Side, Stage } from './stage.ts';

/** Who sends first: one side, heard before the other begins, or both, before either is heard. */
export type SendingOrder = 'a-first' | 'b-first' | 'together';

export const ORDERS: readonly SendingOrder[] = ['together', 'a-first', 'b-first'];

/** What came of a run. */
export interface Run {
  /** Whether a request got through and its answer came back from where it was sent to (RFC 8445 section 7.2.5.2.1). */
  readonly isJoined: boolean;
  /** Packets that both sides sent until then. */
  readonly packets: number;
  /** Whether any packet that arrived had been turned around by a NAT. */
  readonly isHairpinned: boolean;
}

/**
 * Connectivity checks as ICE makes them: each side sends to the other's endpoints that it was told, and to those that it is
 * called from; each answers from the socket that was called. After the first turns, in the order, both go on together.
 */
export function runChecks(
  stage: Stage,
  told: { a: readonly Endpoint[]; b: readonly Endpoint[] },
  order: SendingOrder,
): Run {
  const { arena } = stage;
  const a = new Checker(arena, stage.a, told.b);
  const b = new Checker(arena, stage.b, told.a);
  const result = (): Run => ({
    isJoined: a.isJoined || b.isJoined,
    packets: a.sent + b.sent,
    isHairpinned: a.isHairpinned || b.isHairpinned,
  });
  takeTurns(order, arena, a, b);
  for (let round = 1; round < ROUNDS && !result().isJoined; round++) takeTurns('together', arena, a, b);
  return result();
}

/** Lets both sides send, in the order. */
export function takeTurns(order: SendingOrder, arena: Arena, a: { send(): void }, b: { send(): void }): void {
  const [first, second] = order === 'b-first' ? [b, a] : [a, b];
  first.send();
  if (order !== 'together') arena.settle();
  second.send();
  arena.settle();
}

class Checker {
  isJoined = false;
  isHairpinned = false;
  sent = 0;
  readonly #arena: Arena;
  readonly #side: Side;
  readonly #remotes: Endpoint[];

  constructor(arena: Arena, side: Side, remotes: readonly Endpoint[]) {
    this.#arena = arena;
    this.#side = side;
    this.#remotes = [...remotes];
    arena.bind('udp', side.local, (packet, isHairpinned) => {
      if (packet.protocol === 'udp') this.#receive(packet.source, packet.payload, isHairpinned);
    });
  }

  send(): void {
    for (const [i, remote] of this.#remotes.entries()) this.#transmit(remote, REQUEST, i);
  }

  #receive(from: Endpoint, payload: Uint8Array, isHairpinned: boolean): void {
    const [kind, i] = payload as unknown as [number, number];
    this.isHairpinned ||= isHairpinned;
    if (kind === RESPONSE) {
      this.isJoined ||= sameEndpoint(from, this.#remotes[i]!);
      return;
    }
    if (!this.#remotes.some((remote) => sameEndpoint(remote, from))) this.#remotes.push(from);
    this.#transmit(from, RESPONSE, i);
  }

  #transmit(to: Endpoint, kind: number, i: number): void {
    this.sent++;
    this.#arena.send(this.#side.location, udpPacket(this.#side.local, to, Uint8Array.of(kind, i)));
  }
}

const REQUEST = 0;
const RESPONSE = 1;

/** Enough for both to learn what they can: a peer-reflexive endpoint each, and one more learnt from it. */
const ROUNDS = 5;
