import { type Endpoint, endpoint } from '../../core/endpoint.ts';

/** What an allocation is asked to do for a peer (RFC 8656 sections 9 and 12). */
export type PeerWish =
  | { readonly type: 'permit'; readonly peer: Endpoint }
  | { readonly type: 'bind'; readonly peer: Endpoint }
  | { readonly type: 'forget'; readonly peer: Endpoint };

/** A datagram that is to leave once its peer is permitted. */
export interface WaitingDatagram {
  readonly to: Endpoint;
  readonly data: Uint8Array;
}

/**
 * Whom the socket of an allocation speaks with: which addresses are permitted, what waits for that, and who has a channel. At most 32
 * addresses; one more takes the place of the one that was sent to longest ago. Times in ms.
 */
export class TurnPeers {
  readonly #ask: (wish: PeerWish) => void;
  /** By address: permissions know no ports. */
  readonly #addresses = new Map<string, KnownAddress>();

  constructor(ask: (wish: PeerWish) => void) {
    this.#ask = ask;
  }

  /** Asks for the permission of the address, unless that was done. */
  permit(peer: Endpoint, now: number): void {
    this.#known(peer, now);
  }

  /** Whether to send now; else the datagram waits for the permission, with few others, or is dropped. */
  judge(to: Endpoint, data: Uint8Array, now: number): 'send' | 'wait' | 'drop' {
    const known = this.#known(to, now);
    known.usedAt = now;
    if (known.state === 'permitted') {
      this.#bindIfWorthIt(known, to);
      return 'send';
    }
    if (known.state === 'refused' || known.waiting.length >= MAX_WAITING) return 'drop';
    known.waiting.push({ to, data: Uint8Array.from(data) });
    return 'wait';
  }

  /** The peer has sent something. */
  heard({ address, port }: Endpoint): void {
    const known = this.#addresses.get(address);
    if (known !== undefined && known.ports.size < MAX_CHANNELS && !known.ports.has(port))
      known.ports.set(port, 'heard');
  }

  /** The server permits the address: what waited for that, oldest first. */
  permitted({ address }: Endpoint): readonly WaitingDatagram[] {
    const known = this.#addresses.get(address);
    if (known === undefined) return [];
    known.state = 'permitted';
    return known.waiting.splice(0);
  }

  /** The server refuses a permission; a channel that it refuses where there is one changes nothing. */
  refused({ address }: Endpoint): void {
    const known = this.#addresses.get(address);
    if (known === undefined || known.state === 'permitted') return;
    known.state = 'refused';
    known.waiting.length = 0;
  }

  #known(peer: Endpoint, now: number): KnownAddress {
    const known = this.#addresses.get(peer.address);
    if (known !== undefined) return known;
    if (this.#addresses.size >= MAX_ADDRESSES) this.#forgetOldest();
    const fresh: KnownAddress = { peer, state: 'asked', usedAt: now, waiting: [], ports: new Map() };
    this.#addresses.set(peer.address, fresh);
    this.#ask({ type: 'permit', peer });
    return fresh;
  }

  /** Who answers, and is answered, gets a channel: 4 bytes a datagram in place of 36. */
  #bindIfWorthIt(known: KnownAddress, to: Endpoint): void {
    if (known.ports.get(to.port) !== 'heard') return;
    known.ports.set(to.port, 'bound');
    this.#ask({ type: 'bind', peer: to });
  }

  #forgetOldest(): void {
    const { peer, ports } = [...this.#addresses.values()].reduce((a, b) => (b.usedAt < a.usedAt ? b : a));
    this.#addresses.delete(peer.address);
    this.#ask({ type: 'forget', peer });
    for (const port of ports.keys()) this.#ask({ type: 'forget', peer: endpoint(peer.address, port) });
  }
}

interface KnownAddress {
  /** Any of the address. */
  readonly peer: Endpoint;
  state: 'asked' | 'permitted' | 'refused';
  usedAt: number;
  readonly waiting: WaitingDatagram[];
  /** Those that something came from, and those that have a channel. */
  readonly ports: Map<number, 'heard' | 'bound'>;
}

/** As many as ICE has candidates of the other side. */
const MAX_ADDRESSES = 32;
/** For one address: a permission takes one round trip, in which ICE sends one check a pair. */
const MAX_WAITING = 4;
/** Ports of one address: two of its NAT, and those of others behind it. */
const MAX_CHANNELS = 8;
