import { randomBytes } from 'node:crypto';
import type { Quiche } from '@matrixai/quic/native/quiche.js';
import type { Config } from '@matrixai/quic/native/types.js';
import { ADDRESSES, ALPN, quicheConfig } from '../../src/adapters/session/quic/config.ts';
import { loadQuiche } from '../../src/adapters/session/quic/native.ts';
import { QuicSession } from '../../src/adapters/session/quic/quic-session.ts';
import type { Identity } from '../../src/core/identity.ts';
import type { SessionFactory } from '../../src/core/session.ts';

/** The sessions of an attacker who keeps to our protocol above a TLS that is armed as `makeConfig` says. */
export function armedSessions(makeConfig: (quiche: Quiche, identity: Identity) => Config) {
  return async (identity: Identity): Promise<SessionFactory> => {
    const quiche = await loadQuiche();
    const config = makeConfig(quiche, identity);
    const { to, from } = ADDRESSES;
    return {
      create(options) {
        const connectionId = randomBytes(16);
        const open = () =>
          options.role === 'client'
            ? quiche.Connection.connect(null, connectionId, to, from, config)
            : quiche.Connection.accept(connectionId, null, to, from, config);
        return new QuicSession({ ...options, connectionId, open });
      },
      close() {},
    };
  };
}

/** As an honest peer's, but with this key and certificate, or with none; `sigalgs` as in the TLS library. */
export function configWith(
  quiche: Quiche,
  proof: { readonly key: string; readonly certificate: string } | undefined,
  sigalgs = 'ed25519',
): Config {
  const [keys, certificates] = proof ? [[Buffer.from(proof.key)], [Buffer.from(proof.certificate)]] : [null, null];
  const config = quiche.Config.withBoringSslCtx(proof !== undefined, true, null, keys, certificates, sigalgs);
  config.setApplicationProtos([ALPN]);
  config.setInitialMaxData(2 ** 20);
  config.setInitialMaxStreamsBidi(100);
  config.setInitialMaxStreamsUni(1);
  config.setInitialMaxStreamDataUni(2 ** 16);
  config.setInitialMaxStreamDataBidiLocal(2 ** 20);
  config.setInitialMaxStreamDataBidiRemote(2 ** 20);
  return config;
}

/** An honest configuration: shows that what the others fail at is not the harness. */
export const honestConfig = (quiche: Quiche, identity: Identity): Config => quicheConfig(quiche, identity);
