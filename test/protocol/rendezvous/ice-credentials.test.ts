import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { iceCredentials, relayedIceCredentials } from '../../../src/protocol/rendezvous/index.ts';
import { filled } from './support.ts';

const secret = filled(16, 1);
const session = filled(16, 2);

describe('ICE credentials', () => {
  it('are ice-chars, long enough for RFC 8445 section 5.3', () => {
    const { dialer, listener } = iceCredentials(secret, session, 0);
    for (const { ufrag, pwd } of [dialer, listener]) {
      expect(ufrag).toMatch(/^[A-Za-z0-9+/]{8}$/);
      expect(pwd).toMatch(/^[A-Za-z0-9+/]{24}$/);
    }
  });

  it('are the same for both who know the secret', () => {
    expect(iceCredentials(secret, session, 3)).toEqual(iceCredentials(Uint8Array.from(secret), session, 3));
  });

  it('differ by side, generation, address at a relay, session and secret', () => {
    const all = [
      iceCredentials(secret, session, 0),
      iceCredentials(secret, session, 1),
      iceCredentials(secret, filled(16, 9), 0),
      iceCredentials(filled(16, 9), session, 0),
      relayedIceCredentials(secret, session, endpoint('192.0.2.20', 7_000)),
      relayedIceCredentials(secret, session, endpoint('192.0.2.20', 7_001)),
      relayedIceCredentials(secret, session, endpoint('192.0.2.21', 7_000)),
    ].flatMap(({ dialer, listener }) => [dialer.ufrag, dialer.pwd, listener.ufrag, listener.pwd]);
    expect(new Set(all).size).toBe(28);
  });
});
