import { randomBytes } from 'node:crypto';
import type { Config, Connection } from '@matrixai/quic/native/types.js';
import { ADDRESSES } from '../../../src/adapters/session/quic/config.ts';
import { loadQuiche } from '../../../src/adapters/session/quic/native.ts';
import type { Session, SessionFactory } from '../../../src/core/session.ts';

/** A client that keeps to QUIC but to none of our rules above it, and the session that it talks to. */
export interface RawClient {
  readonly connection: Connection;
  readonly server: Session;
  /** Sends what is due. */
  flush(): void;
  /** Calls `look` after each packet that comes in, until it gives something. */
  until<T>(look: () => T | undefined): Promise<T>;
}

export async function rawClient(config: Config, factory: SessionFactory, expectedKey: Uint8Array): Promise<RawClient> {
  const quiche = await loadQuiche();
  const connection = quiche.Connection.connect(null, randomBytes(16), ADDRESSES.to, ADDRESSES.from, config);
  const watchers = new Set<() => void>();
  const flush = (): void => {
    const buffer = Buffer.alloc(1200);
    for (let sent = connection.send(buffer); sent !== null; sent = connection.send(buffer)) {
      server.receive(buffer.subarray(0, sent[0]));
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
  const server = factory.create({
    role: 'server',
    expectedKey,
    transmit: (packet) => {
      const copy = Uint8Array.from(packet);
      queueMicrotask(() => receive(copy));
    },
  });
  flush();
  return {
    connection,
    server,
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
