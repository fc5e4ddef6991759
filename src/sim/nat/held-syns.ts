import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { type IcmpPacket, icmpPacket, type TcpPacket } from '../packet.ts';

/**
 * Unsolicited SYNs, which get an ICMP error after 6 s unless a SYN for the same connection goes out meanwhile (RFC 5382
 * REQ-4).
 */
export class HeldSyns {
  /** The one that is due first, first. */
  readonly #held = new Map<string, { readonly syn: TcpPacket; readonly dueAt: number }>();

  /** Virtual time in ms of the next error. */
  get wakeAt(): number | undefined {
    for (const { dueAt } of this.#held.values()) return dueAt;
    return undefined;
  }

  /** A SYN sent again does not wait longer. Beyond 1,024 they get no error. */
  hold(syn: TcpPacket, now: number): void {
    const connection = key(syn.destination, syn.source);
    if (this.#held.has(connection) || this.#held.size >= CAPACITY) return;
    this.#held.set(connection, { syn, dueAt: now + HOLD_TIME });
  }

  /** A SYN of the connection has gone out. */
  release(external: Endpoint, remote: Endpoint): void {
    this.#held.delete(key(external, remote));
  }

  /** Errors that are due. */
  poll(now: number): readonly IcmpPacket[] {
    const errors: IcmpPacket[] = [];
    for (const [connection, { syn, dueAt }] of this.#held) {
      if (dueAt > now) break;
      this.#held.delete(connection);
      errors.push(icmpPacket(syn.destination.address, syn, 'port-unreachable'));
    }
    return errors;
  }

  clear(): void {
    this.#held.clear();
  }
}

function key(external: Endpoint, remote: Endpoint): string {
  return `${formatEndpoint(external)} ${formatEndpoint(remote)}`;
}

/** ms (RFC 5382 REQ-4). */
const HOLD_TIME = 6000;
const CAPACITY = 1024;
