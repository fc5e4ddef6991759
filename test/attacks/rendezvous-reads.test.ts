import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import { createEnvelopeChannel, iceCredentials } from '../../src/protocol/rendezvous/index.ts';
import { createWorld, type InhabitantOptions } from '../peer/world.ts';
import { hostileNetwork } from './hostile-network.ts';
import { maliciousRendezvous } from './malicious-rendezvous.ts';
import { findNeedles, type Needle, secretBytes, secretText } from './needles.ts';
import { connected, EXCHANGED, exchange, PAYLOAD } from './victims.ts';

describe('a rendezvous server that reads all it gets', () => {
  it.each(['relay-only', 'relay-first', 'direct-only'] as const)(
    'finds neither candidate, password, secret nor payload (%s)',
    async (policy) => {
      await using world = createWorld();
      const attacker = maliciousRendezvous();
      const identities = { listener: createIdentity(), dialer: createIdentity() };
      const networks = { listener: hostileNetwork(), dialer: hostileNetwork() };
      const options = (who: 'listener' | 'dialer'): InhabitantOptions => ({
        policy,
        identity: identities[who],
        env: { network: networks[who], signaling: () => attacker.signaling(who) },
      });
      const pair = await connected(world, { listener: options('listener'), dialer: options('dialer') });
      expect(await exchange(pair)).toEqual(EXCHANGED);
      expect(pair.here.datagrams.send(PAYLOAD)).toBe(true);
      await pair.here.close();

      const session = Buffer.from(pair.here.id, 'hex');
      const credentials = iceCredentials(pair.ticket.secret, session, 0);
      const needles: Needle[] = [
        secretText('payload', PAYLOAD.toString()),
        secretBytes('ticket secret', pair.ticket.secret),
        secretText('ticket', pair.text),
        ...(['listener', 'dialer'] as const).flatMap((who) => [
          secretText(`${who}'s candidate`, formatEndpoint(networks[who].victim)),
          secretText(`${who}'s ufrag`, credentials[who].ufrag),
          secretText(`${who}'s pwd`, credentials[who].pwd),
          secretBytes(`${who}'s private key`, privateKeyBytes(identities[who].privateKeyPem)),
        ]),
      ];
      const said = attacker.seen.map(({ frame }) => frame);
      expect(findNeedles(needles, said)).toEqual([]);

      // The search is worth something: whoever holds the ticket finds the candidates in the very same envelopes.
      const { secret, key: listenerKey } = pair.ticket;
      const offers = attacker.seen.flatMap(({ control, direction }) =>
        direction === 'up' && control?.type === 'offer' ? [control.envelope] : [],
      );
      const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'listener', random: cryptoRandom() });
      const opened = offers.map((envelope) => JSON.stringify(channel.open(envelope)));
      expect(opened.length).toBeGreaterThan(0);
      expect(opened.join().includes(String(networks.dialer.victim.port))).toBe(policy !== 'relay-only');
      const relayed = said.filter((frame) => typeof frame !== 'string').length;
      expect(relayed > 0).toBe(policy !== 'direct-only');
    },
  );
});

describe('the search', () => {
  const needle = secretText('secret', '127.0.0.1:54321');

  it.each<[string, string | Uint8Array]>([
    ['as it is', 'at 127.0.0.1:54321'],
    ['as bytes', Buffer.from('..127.0.0.1:54321..')],
    ['in hex', Buffer.from('127.0.0.1:54321').toString('hex')],
    ['in UTF-16', Buffer.from('127.0.0.1:54321', 'utf16le')],
    ...['', 'a', 'ab'].map((before): [string, string] => [
      `in base64, ${before.length} bytes in`,
      Buffer.from(`${before}127.0.0.1:54321 and more`).toString('base64'),
    ]),
    ['inside base64url in JSON', JSON.stringify({ a: Buffer.from('x127.0.0.1:54321').toString('base64url') })],
  ])('finds a secret %s', (_, hay) => {
    expect(findNeedles([needle], [hay])).toEqual(['secret']);
  });

  it('finds nothing where nothing is', () => {
    expect(findNeedles([needle], ['127.0.0.1:54320', Buffer.alloc(100)])).toEqual([]);
  });
});

/** The 32 bytes of the seed at the end of a PKCS #8 key (RFC 8410 section 7). */
function privateKeyBytes(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64').subarray(-32);
}
