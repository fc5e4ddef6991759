import { toHex } from '../core/hex.ts';
import type { Contact } from '../core/signaling.ts';

/** Contacts under which listeners have answered: the next dial of the same key need not ask a server. */
export interface ContactBook {
  /** By raw Ed25519 key. */
  find(key: Uint8Array): Contact | undefined;
  keep(key: Uint8Array, contact: Contact): void;
}

/** Contacts that are kept; beyond, the one that was kept first is forgotten. */
const MAX_CONTACTS = 256;

export function createContactBook(): ContactBook {
  const contacts = new Map<string, Contact>();
  return {
    find: (key) => contacts.get(toHex(key)),
    keep(key, contact) {
      const name = toHex(key);
      contacts.delete(name);
      const [oldest] = contacts.keys();
      if (oldest !== undefined && contacts.size >= MAX_CONTACTS) contacts.delete(oldest);
      contacts.set(name, contact);
    },
  };
}
