import { randomBytes } from 'node:crypto';
import { TraversalError } from '../../../core/errors.ts';
import type { Identity } from '../../../core/identity.ts';
import type { Session, SessionFactory, SessionOptions } from '../../../core/session.ts';
import { ADDRESSES, quicheConfig } from './config.ts';
import { loadQuiche } from './native.ts';
import { QuicSession } from './quic-session.ts';

export { CloseCode, StreamCode } from '../../../protocol/session/codes.ts';

/**
 * Sessions over QUIC (RFC 9000) with mutual TLS 1.3: each side proves the Ed25519 key of its identity. No 0-RTT, no
 * resumption. A client's first packets are transmitted before `create` returns. Errors: `ERR_SESSION_PLATFORM`.
 */
export async function quicSessions(identity: Identity): Promise<SessionFactory> {
  const quiche = await loadQuiche();
  const config = quicheConfig(quiche, identity);
  const sessions = new Set<Session>();
  return {
    create(options: SessionOptions): Session {
      if (options.expectedKey.length !== 32) throw new TraversalError('ERR_USAGE', 'an Ed25519 key has 32 bytes');
      const connectionId = randomBytes(16);
      const { to, from } = ADDRESSES;
      const session = new QuicSession({
        connectionId,
        open: () =>
          options.role === 'client'
            ? quiche.Connection.connect(null, connectionId, to, from, config)
            : quiche.Connection.accept(connectionId, null, to, from, config),
        ...options,
      });
      sessions.add(session);
      void session.closed.then(() => sessions.delete(session));
      return session;
    },
    close(): void {
      for (const session of sessions) session.close();
    },
  };
}
