import { randomBytes } from 'node:crypto';
import type { Config, Connection } from '@matrixai/quic/native/types.js';
import { ADDRESSES } from '../../../src/adapters/session/quic/config.ts';
import { loadQuiche } from '../../../src/adapters/session/quic/native.ts';
import type { Session, SessionFactory } from '../../../src/core/session.ts';

export interface RawPeerOptions {
  /** Of the raw peer; the session has the other one. */
  readonly role: 'client' | 'server';
  readonly config: Config;
  /** Makes the session that it talks to. */
  readonly factory: SessionFactory;
  /** The key that the session expects of it. */
  readonly expectedKey: Uint8Array;
}

/** A peer that keeps to QUIC but to none of our rules above it, and the session that it talks to. */
export interface RawPeer {
  readonly connection: Connection;
  readonly session: Session;
  /** Sends what is due. */
  flush(): void;
  /** Calls `look` after each packet that comes in, until it gives something. */
  until<T>(look: () => T | undefined): Promise<T>;
}

export async function rawPeer({ role, config, factory, expectedKey }: RawPeerOptions): Promise<RawPeer> {
  const { Connection } = await loadQuiche();
  const { to, from } = ADDRESSES;
  const connection =
    role === 'client'
      ? Connection.connect(null, randomBytes(16), to, from, config)
      : Connection.accept(randomBytes(16), null, to, from, config);
  const watchers = new Set<() => void>();
  const flush = (): void => {
    const buffer = Buffer.alloc(1200);
    for (let sent = connection.send(buffer); sent !== null; sent = connection.send(buffer)) {
      session.receive(buffer.subarray(0, sent[0]));
    }
  };
  const receive = (packet: Uint8Array): void => {
    try {
      connection.recv(packet, ADDRESSES);
    } catch {
      // what became of the connection is what the tests look at
    }
    flush();
    for (const watcher of watchers) watcher();
  };
  const session = factory.create({
    role: role === 'client' ? 'server' : 'client',
    expectedKey,
    transmit: (packet) => {
      const copy = Uint8Array.from(packet);
      queueMicrotask(() => receive(copy));
    },
  });
  flush();
  return {
    connection,
    session,
    flush,
    until: (look) =>
      new Promise((resolve) => {
        const watcher = (): void => {
          const found = look();
          if (found === undefined) return;
          watchers.delete(watcher);
          resolve(found);
        };
        watchers.add(watcher);
        watcher();
      }),
  };
}
