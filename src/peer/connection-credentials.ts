import type { Endpoint } from '../core/endpoint.ts';
import { iceCredentials, relayedIceCredentials, type SharedCredentials } from '../protocol/rendezvous/index.ts';
import type { CheckAgentOptions } from './check-agent.ts';
import type { RuntimeOptions } from './runtime-contract.ts';

/** The ICE credentials of a connection, this side's and the other's: both know them once they share a secret. */
export class ConnectionCredentials {
  readonly #runtime: Pick<RuntimeOptions, 'introduction' | 'role' | 'session'>;

  constructor(runtime: Pick<RuntimeOptions, 'introduction' | 'role' | 'session'>) {
    this.#runtime = runtime;
  }

  /** For checks on the peers' own sockets; each ICE restart counts `generation` up. */
  ofGeneration(generation: number): CheckAgentOptions['credentials'] {
    return this.#assign(iceCredentials(this.#secret, this.#runtime.session, generation));
  }

  /** For checks of pairs with this address at a relay. */
  atRelay(relayed: Endpoint): CheckAgentOptions['credentials'] {
    return this.#assign(relayedIceCredentials(this.#secret, this.#runtime.session, relayed));
  }

  get #secret(): Uint8Array {
    const { settled } = this.#runtime.introduction;
    if (settled === undefined) throw new Error('checks began before the two sides shared a secret');
    return settled.secret;
  }

  #assign({ dialer, listener }: SharedCredentials): CheckAgentOptions['credentials'] {
    return this.#runtime.role === 'dialer' ? { mine: dialer, theirs: listener } : { mine: listener, theirs: dialer };
  }
}
