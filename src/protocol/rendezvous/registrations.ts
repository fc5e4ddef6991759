import { byteKey } from '../../core/byte-key.ts';
import type { Contact, StandingAnswer } from '../../core/signaling.ts';
import type { ServerClient } from './server-client.ts';
import type { ServerLimits } from './server-limits.ts';

/** Who listens under which key, and the standing answers left with the server. A client holds at most one key. */
export interface Registrations {
  readonly size: number;
  /** Of all standing answers. */
  readonly standingBytes: number;
  holder(key: string): ServerClient | undefined;
  standing(key: string, ticketId: Uint8Array): Uint8Array | undefined;
  contact(key: string): Contact | undefined;
  /**
   * Makes `client` the holder of `key`, with this contact and these standing answers and no others, unless another
   * client holds it that began to listen later. Gives the client that was the holder and is not, or that did not become
   * it.
   */
  set(key: string, client: ServerClient, registration: ClientRegistration): ServerClient | undefined;
  /** Ends the client's registration, if it has one. */
  remove(client: ServerClient): void;
}

export interface ClientRegistration {
  /** When the peer began to listen, by its own calendar. */
  readonly since: number;
  readonly contact?: Contact | undefined;
  readonly standing: readonly StandingAnswer[];
}

interface Entry extends Pick<ClientRegistration, 'since' | 'contact'> {
  readonly client: ServerClient;
  readonly standing: ReadonlyMap<string, Uint8Array>;
}

/** Standing answers beyond the bounds are not kept: without one, a dialer waits for the listener's own answer. */
export function createRegistrations(limits: ServerLimits): Registrations {
  const registrations = new Map<string, Entry>();
  let standingBytes = 0;

  function forget(key: string): void {
    const registration = registrations.get(key);
    if (registration === undefined) return;
    for (const { length } of registration.standing.values()) {
      standingBytes -= length;
      registration.client.source.standingBytes -= length;
    }
    registrations.delete(key);
  }

  function keep(answers: readonly StandingAnswer[], { source }: ServerClient): Map<string, Uint8Array> {
    const kept = new Map<string, Uint8Array>();
    for (const { ticketId, envelope } of answers) {
      const id = byteKey(ticketId);
      const fits =
        kept.size < limits.standing &&
        standingBytes + envelope.length <= limits.standingBytes &&
        source.standingBytes + envelope.length <= limits.standingBytesPerSource;
      if (!fits || kept.has(id)) continue;
      kept.set(id, envelope);
      standingBytes += envelope.length;
      source.standingBytes += envelope.length;
    }
    return kept;
  }

  function remove(client: ServerClient): void {
    if (client.key !== undefined) forget(client.key);
    client.key = undefined;
  }

  return {
    get size() {
      return registrations.size;
    },
    get standingBytes() {
      return standingBytes;
    },
    holder: (key) => registrations.get(key)?.client,
    standing: (key, ticketId) => registrations.get(key)?.standing.get(byteKey(ticketId)),
    contact: (key) => registrations.get(key)?.contact,
    set(key, client, { since, contact, standing }) {
      const previous = registrations.get(key);
      const rival = previous?.client === client ? undefined : previous;
      if (rival !== undefined && rival.since > since) return client;
      if (rival !== undefined) remove(rival.client);
      remove(client);
      registrations.set(key, { client, since, contact, standing: keep(standing, client) });
      client.key = key;
      return rival?.client;
    },
    remove,
  };
}
