import type { Quiche } from '@matrixai/quic/native/quiche.js';
import type { Config } from '@matrixai/quic/native/types.js';
import { describe, expect, it, vi } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import type { Identity } from '../../src/core/identity.ts';
import { codeOf, createWorld, type InhabitantOptions } from '../peer/world.ts';
import { armedSessions, configWith, honestConfig } from './armed-sessions.ts';
import { ed25519Spki, forgeCertificate, p256Proof } from './certificate-forgery.ts';
import { EXCHANGED, exchange, reasonsOf, victims } from './victims.ts';

type MakeConfig = (quiche: Quiche, identity: Identity) => Config;

const ATTACKS: Readonly<Record<string, MakeConfig>> = {
  'no certificate': (quiche) => configWith(quiche, undefined),
  'a certificate over a key on P-256': (quiche) => configWith(quiche, p256Proof(), 'ed25519:ecdsa_secp256r1_sha256'),
  'a certificate over another Ed25519 key': (quiche) => honestConfig(quiche, createIdentity()),
};

const armed = (makeConfig: MakeConfig): InhabitantOptions => ({
  env: { sessions: armedSessions(makeConfig) },
  delays: { traversing: 1500 },
});

describe.concurrent.each(Object.entries(ATTACKS))('a peer that shows %s', (_, makeConfig) => {
  it('is not let in as a dialer, for all its ticket', async () => {
    await using world = createWorld();
    const failed = reasonsOf('incoming.failed');
    const pair = await victims(world, {
      listener: { env: { log: failed.log }, delays: { traversing: 1500 } },
      dialer: armed(makeConfig),
    });
    const connection = pair.dialer.peer.connect(pair.text);
    await connection.verdict;
    // Its own side of TLS may have ended well: what counts is that the listener has refused it.
    await vi.waitFor(() => expect(failed.reasons).toHaveLength(1), { timeout: 5000 });
    expect(failed.reasons[0]).toMatch(/^ERR_(PEER_KEY|SESSION_HANDSHAKE|TIMEOUT|PEER_GONE)$/);
    expect(pair.incoming).toEqual([]);
  });

  it('is not talked to as a listener, for all the ticket that it gave out', async () => {
    await using world = createWorld();
    const pair = await victims(world, { listener: armed(makeConfig), dialer: { delays: { traversing: 1500 } } });
    const connection = pair.dialer.peer.connect(pair.text);
    expect(await codeOf(connection.ready)).toMatch(/^ERR_(PEER_KEY|SESSION_HANDSHAKE|TIMEOUT)$/);
    // Paths stood, and the handshake was tried on them.
    expect((await connection.verdict).paths).not.toEqual([]);
  });
});

describe.concurrent('a certificate over the right key', () => {
  it('is taken, as is: nothing but the key counts', async () => {
    await using world = createWorld();
    await admitted(world, honestConfig);
  });

  it('is taken after its date, for there is nobody to renew it', async () => {
    await using world = createWorld();
    await admitted(world, (quiche, identity) =>
      configWith(quiche, {
        key: identity.privateKeyPem,
        certificate: forgeCertificate({
          spki: ed25519Spki(identity.publicKey),
          notAfter: '000101000000Z',
          sign: identity.sign,
        }),
      }),
    );
  });

  it('does not help who does not hold the key', async () => {
    await using world = createWorld();
    const failed = reasonsOf('incoming.failed');
    const own = createIdentity();
    const somebody = createIdentity();
    const stolen = forgeCertificate({ spki: ed25519Spki(somebody.publicKey), sign: own.sign });
    const asked: Uint8Array[] = [];
    const pair = await victims(world, {
      listener: {
        env: { log: failed.log },
        delays: { traversing: 1500 },
        accept: ({ key }) => asked.push(key) > 0,
      },
      dialer: {
        // It claims the key in its offers, shows a certificate over it, and signs the handshake with its own.
        identity: { ...own, publicKey: somebody.publicKey },
        ...armed((quiche) => configWith(quiche, { key: own.privateKeyPem, certificate: stolen })),
      },
    });
    const connection = pair.dialer.peer.connect(pair.text);
    await connection.verdict;
    await vi.waitFor(() => expect(failed.reasons).toHaveLength(1), { timeout: 5000 });
    expect(asked).toEqual([somebody.publicKey]);
    expect(pair.incoming).toEqual([]);
  });
});

/** A dialer with this configuration is let in, and both sides are heard. */
async function admitted(world: ReturnType<typeof createWorld>, makeConfig: MakeConfig): Promise<void> {
  const pair = await victims(world, { dialer: armed(makeConfig) });
  const here = pair.dialer.peer.connect(pair.text);
  await here.ready;
  await vi.waitFor(() => expect(pair.incoming).toHaveLength(1));
  expect(await exchange({ here, there: pair.incoming[0]! })).toEqual(EXCHANGED);
}
