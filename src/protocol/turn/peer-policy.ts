import type { Endpoint } from '../../core/endpoint.ts';
import { type AddressKind, classifyAddress } from '../../core/ip-address.ts';
import type { PeerKind } from './server-contract.ts';

/** Whom a server relays to: peers on public addresses, and on those kinds of others that it is told to serve. */
export class PeerPolicy {
  readonly #kinds: ReadonlySet<AddressKind>;

  constructor(allowed: readonly PeerKind[]) {
    this.#kinds = new Set<AddressKind>(['public', ...allowed]);
  }

  /** The port does not matter. */
  allows({ address }: Endpoint): boolean {
    return this.#kinds.has(classifyAddress(address));
  }
}
