import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import type { NatRules } from './nat-spec.ts';
import type { TransportPacket } from './session.ts';

type Protocol = TransportPacket['protocol'];

/**
 * Entries that packets take which were not let in (`unsolicited: 'tracked'`): while one lasts, no mapping sends from
 * where the packet went to where it came from.
 */
export class TurnedAway {
  readonly #rules: NatRules;
  /** Until when, in ms of virtual time. The one that expires first is first, but for different protocols. */
  readonly #until = new Map<string, number>();

  constructor(rules: NatRules) {
    this.#rules = rules;
  }

  /** Beyond the capacity of the NAT, the oldest entry gives way. */
  note(protocol: Protocol, external: Endpoint, remote: Endpoint, now: number): void {
    if (this.#rules.unsolicited === 'ignored') return;
    const { udp, tcp } = this.#rules;
    const flow = key(protocol, external, remote);
    this.#until.delete(flow);
    this.#until.set(flow, now + (protocol === 'udp' ? udp.unanswered : tcp.transitory));
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= this.#rules.capacity) break;
      this.#until.delete(oldest);
    }
  }

  has(protocol: Protocol, external: Endpoint, remote: Endpoint, now: number): boolean {
    const until = this.#until.get(key(protocol, external, remote));
    return until !== undefined && now < until;
  }

  clear(): void {
    this.#until.clear();
  }
}

function key(protocol: Protocol, external: Endpoint, remote: Endpoint): string {
  return `${protocol} ${formatEndpoint(external)} ${formatEndpoint(remote)}`;
}
