import type { StandingAnswer } from '../../core/signaling.ts';
import { idKey, type ServerClient } from './server-client.ts';
import type { ServerLimits } from './server-limits.ts';

/** Who listens under which key, and the standing answers left with the server. A client holds at most one key. */
export interface Registrations {
  readonly size: number;
  holder(key: string): ServerClient | undefined;
  standing(key: string, ticketId: Uint8Array): Uint8Array | undefined;
  /** Makes `client` the holder of `key`, with these standing answers and no others; gives the client that it took the key from. */
  set(key: string, client: ServerClient, standing: readonly StandingAnswer[]): ServerClient | undefined;
  /** Ends the client's registration, if it has one. */
  remove(client: ServerClient): void;
}

/** Standing answers beyond the bounds are not kept: without one, a dialer waits for the listener's own answer. */
export function createRegistrations(limits: ServerLimits): Registrations {
  const registrations = new Map<string, { client: ServerClient; standing: Map<string, Uint8Array> }>();
  let standingBytes = 0;

  function forget(key: string): void {
    for (const envelope of registrations.get(key)?.standing.values() ?? []) standingBytes -= envelope.length;
    registrations.delete(key);
  }

  function keep(answers: readonly StandingAnswer[]): Map<string, Uint8Array> {
    const kept = new Map<string, Uint8Array>();
    for (const { ticketId, envelope } of answers) {
      const id = idKey(ticketId);
      const fits = kept.size < limits.standing && standingBytes + envelope.length <= limits.standingBytes;
      if (!fits || kept.has(id)) continue;
      kept.set(id, envelope);
      standingBytes += envelope.length;
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
    holder: (key) => registrations.get(key)?.client,
    standing: (key, ticketId) => registrations.get(key)?.standing.get(idKey(ticketId)),
    set(key, client, answers) {
      const previous = registrations.get(key)?.client;
      if (previous !== undefined) remove(previous);
      remove(client);
      registrations.set(key, { client, standing: keep(answers) });
      client.key = key;
      return previous === client ? undefined : previous;
    },
    remove,
  };
}
