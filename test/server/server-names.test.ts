import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../src/adapters/node/clock.ts';
import { cryptoRandom } from '../../src/adapters/node/random.ts';
import { websocketSignaling } from '../../src/adapters/signaling/websocket.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { decodeClientFrame } from '../../src/protocol/rendezvous/wire.ts';
import { startServer } from '../../src/server/index.ts';
import { createServerNames } from '../../src/server/server-names.ts';
import { testIdentity } from '../protocol/rendezvous/support.ts';

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/**
 * Self-signed, for meet.example.org, *.wild.example and 192.0.2.7; made with openssl 3.0: `req -x509 -newkey ed25519 -nodes -days 36500
 * -subj /CN=ignored.example -addext subjectAltName=DNS:meet.example.org,DNS:*.wild.example,IP:192.0.2.7`.
 */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBgDCCATKgAwIBAgIUQoOZ8PDHOYwcarPfVsVzV3YQOLswBQYDK2VwMBoxGDAW
BgNVBAMMD2lnbm9yZWQuZXhhbXBsZTAgFw0yNjExMjMwNTU3MjRaGA8yMTI2MTAz
MDA1NTcyNFowGjEYMBYGA1UEAwwPaWdub3JlZC5leGFtcGxlMCowBQYDK2VwAyEA
1xjSnIzCg/4aI2b5J7lnvKKnBvZsDKkCC/I98xYGPTyjgYcwgYQwHQYDVR0OBBYE
FPwY3icJhYVwJz00ToS447/VE2+eMB8GA1UdIwQYMBaAFPwY3icJhYVwJz00ToS4
47/VE2+eMA8GA1UdEwEB/wQFMAMBAf8wMQYDVR0RBCowKIIQbWVldC5leGFtcGxl
Lm9yZ4IOKi53aWxkLmV4YW1wbGWHBMAAAgcwBQYDK2VwA0EAE9WUsg7imR6CLEVn
2SpkEDuZdT243cP7P33i47yZWJNnQwAQ2HyIj465pknPHRM8IBQDZvbfKDunUrUq
XhEWCw==
-----END CERTIFICATE-----`;

const local = endpoint('192.0.2.1', 8790);
const nowhere = { names: [], certificate: undefined };

describe('the name that a client is told', () => {
  it('is what it dialled, when that is one of the names', () => {
    const { nameFor } = createServerNames({ ...nowhere, names: ['Meet.Example.org', 'other.example:8790'] });
    expect(nameFor('meet.example.org', local)).toBe('meet.example.org');
    expect(nameFor('MEET.example.org:443', local)).toBe('meet.example.org');
    expect(nameFor('other.example:8790', local)).toBe('other.example:8790');
    expect(nameFor('other.example:8791', local)).toBe('meet.example.org');
    expect(nameFor('evil.example', local)).toBe('meet.example.org');
    expect(nameFor(undefined, local)).toBe('meet.example.org');
  });

  it('may be the address that it came to, and localhost on this machine', () => {
    const { nameFor } = createServerNames({ ...nowhere, names: ['meet.example.org'] });
    expect(nameFor('192.0.2.1:8790', local)).toBe('192.0.2.1:8790');
    expect(nameFor('192.0.2.1:8791', local)).toBe('meet.example.org');
    expect(nameFor('localhost:8790', local)).toBe('meet.example.org');
    expect(nameFor('localhost:8790', endpoint('127.0.0.1', 8790))).toBe('localhost:8790');
    expect(nameFor('localhost', endpoint('::1', 80))).toBe('localhost');
    expect(nameFor('[2001:db8::1]:8790', endpoint('2001:db8::1', 8790))).toBe('[2001:db8::1]:8790');
  });

  it('may be a name or an address of the certificate, on any port', () => {
    const { nameFor } = createServerNames({ ...nowhere, certificate });
    for (const name of ['meet.example.org', 'meet.example.org:8790', 'a.wild.example', '192.0.2.7:8790']) {
      expect(nameFor(name, local)).toBe(name);
    }
    for (const name of ['ignored.example', 'wild.example', '192.0.2.8']) {
      expect(nameFor(name, local)).toBe('192.0.2.1:8790');
    }
  });

  it('is whatever it dialled where nobody told the server its names', () => {
    const { nameFor } = createServerNames(nowhere);
    expect(nameFor('meet.example.org', local)).toBe('meet.example.org');
    expect(nameFor('a/b', local)).toBe('192.0.2.1:8790');
    expect(nameFor(undefined, local)).toBe('192.0.2.1:8790');
  });

  it.each(['', 'a b', 'http://meet.example.org', 'meet.example.org/x', 'host:99999'])('is never %j', (name) => {
    expect(() => createServerNames({ ...nowhere, names: [name] })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE' }),
    );
  });

  it('is not read from what is no certificate', () => {
    expect(() => createServerNames({ ...nowhere, certificate: 'nonsense' })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE' }),
    );
  });
});

interface Deceit {
  /** Names that the honest server was told. */
  readonly names: readonly string[];
  /** The Host header that the server in the middle shows the honest one; `own`: what its clients dialled. */
  readonly asked: (own: string) => string;
  /** What it says of its own name, instead of what the honest server said. */
  readonly told: (name: string, own: string) => string;
}

/** A listener registers with a server that passes every frame on to an honest one, and back. */
async function mount({ names, asked, told }: Deceit) {
  const honest = await startServer({ port: 0, stun: false, names });
  releases.push(() => honest.close());
  const middle = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(middle, 'listening');
  releases.push(() => new Promise((resolve) => middle.close(resolve)));
  const own = `127.0.0.1:${(middle.address() as AddressInfo).port}`;
  const said: string[] = [];
  middle.on('connection', (client) => {
    const upstream = new WebSocket(honest.url, { headers: { host: asked(own) } });
    releases.push(() => {
      client.terminate();
      upstream.terminate();
    });
    upstream.on('message', (data) => {
      const frame = JSON.parse(String(data));
      client.send(JSON.stringify(frame.type === 'hello' ? { ...frame, name: told(frame.name, own) } : frame));
    });
    client.on('message', (data) => {
      said.push(decodeClientFrame(String(data)).type);
      upstream.send(String(data));
    });
  });
  const listener = websocketSignaling({ url: `ws://${own}`, clock: systemClock(), random: cryptoRandom() });
  releases.push(() => listener.close());
  const answered = firstValueFrom(listener.events$);
  listener.register({ ...testIdentity(), standing: [] });
  return { answer: await answered, said, registrations: honest.counters().registrations, own };
}

describe('a server that passes the challenge of another on to its own listeners', () => {
  const honest = 'honest.example';

  it('gets no signature for the other’s name', async () => {
    const { answer, said, registrations, own } = await mount({
      names: [honest],
      asked: () => honest,
      told: (name) => name,
    });
    expect(answer).toEqual({
      type: 'error',
      code: 'ERR_SERVER_REFUSED',
      message: `the server calls itself ${honest}, not ${own} as it was dialled: start it with --name ${own}`,
    });
    expect(said).toEqual([]);
    expect(registrations).toBe(0);
  });

  it('gets one for its own name, which is worth nothing at the other', async () => {
    const { answer, said, registrations } = await mount({
      names: [honest],
      asked: () => honest,
      told: (_, own) => own,
    });
    expect(said).toEqual(['register']);
    expect(answer).toMatchObject({ type: 'error', code: 'ERR_PEER_KEY' });
    expect(registrations).toBe(0);
  });

  it('cannot tell the other what to call itself', async () => {
    const { answer, said, registrations } = await mount({
      names: [honest],
      asked: (own) => own,
      told: (name) => name,
    });
    expect(answer).toMatchObject({ type: 'error', code: 'ERR_SERVER_REFUSED' });
    expect(said).toEqual([]);
    expect(registrations).toBe(0);
  });

  it('succeeds where the other was not told its names, which is why they are to be told', async () => {
    const { answer, registrations } = await mount({ names: [], asked: (own) => own, told: (name) => name });
    expect(answer).toEqual({ type: 'registered' });
    expect(registrations).toBe(1);
  });
});
