import type { Quiche } from '@matrixai/quic/native/quiche.js';
import { firstValueFrom } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { createIdentity } from '../../../src/adapters/node/identity.ts';
import { ADDRESSES, ALPN, quicheConfig } from '../../../src/adapters/session/quic/config.ts';
import { CloseCode, quicSessions, StreamCode } from '../../../src/adapters/session/quic/index.ts';
import { loadQuiche } from '../../../src/adapters/session/quic/native.ts';
import type { SessionStream } from '../../../src/core/session.ts';
import { SessionLink, type SessionPair } from '../../../src/testing/compliance/session-link.ts';
import { type RawPeer, rawPeer } from './raw-peer.ts';

let quiche: Quiche;
beforeAll(async () => {
  quiche = await loadQuiche();
});

describe('a client without our rules', () => {
  it('is refused without a certificate', async () => {
    const config = quiche.Config.withBoringSslCtx(false, true, null, null, null, 'ed25519');
    config.setApplicationProtos([ALPN]);
    const factory = await quicSessions(createIdentity());
    const expectedKey = new Uint8Array(32);
    const { session, connection } = await rawPeer({ role: 'client', config, factory, expectedKey });
    await expect(session.established).rejects.toMatchObject({ code: 'ERR_SESSION_HANDSHAKE' });
    // certificate_required (RFC 8446 section 6), as a CRYPTO_ERROR (RFC 9001 section 4.8).
    expect(connection.isEstablished()).toBe(true);
    expect(await session.closed).toEqual({ by: 'local', code: 0x174, reason: 'QUIC error 0x174' });
  });

  it('with another application protocol takes nothing from one that comes later', async () => {
    const pair = await createPair();
    const config = quicheConfig(quiche, createIdentity());
    config.setApplicationProtos(['h3']);
    const stranger = quiche.Connection.connect(null, Buffer.alloc(16), ADDRESSES.to, ADDRESSES.from, config);
    const first = Buffer.alloc(1200);
    stranger.send(first);
    const link = new SessionLink(pair, { clock: systemClock() });
    link.server.receive(first);
    await link.established();
  });

  it.each([
    ['another version', Buffer.of(2, 1, 0x61), StreamCode.VERSION],
    ['an empty name', Buffer.of(1, 0), StreamCode.PREFACE],
    ['a name that is too long', Buffer.of(1, 65), StreamCode.PREFACE],
    ['a name that is not UTF-8', Buffer.of(1, 1, 0xff), StreamCode.PREFACE],
  ])('has a stream reset whose preface has %s', async (_, preface, code) => {
    const client = await establishedClient();
    client.connection.streamSend(0, preface, false);
    client.flush();
    expect(await client.until(() => resetCode(client, 0))).toBe(`StreamReset(${code})`);
  });

  it('has a stream reset that ends within its preface', async () => {
    const client = await establishedClient();
    client.connection.streamSend(0, Buffer.of(1, 9, 0x61), true);
    client.flush();
    expect(await client.until(() => resetCode(client, 0))).toBe(`StreamReset(${StreamCode.PREFACE})`);
  });

  it('sees a preface that comes byte by byte as one', async () => {
    const client = await establishedClient();
    const incoming = firstValueFrom(client.session.streams$);
    for (const byte of [1, 2, 0x68, 0x69, 0x21]) {
      client.connection.streamSend(0, Buffer.of(byte), false);
      client.flush();
    }
    const stream = await incoming;
    expect(stream.protocol).toBe('hi');
    expect(await stream.read()).toEqual(Buffer.from('!'));
  });

  it('has a stream reset that ends without an end mark', async () => {
    const client = await establishedClient();
    const incoming = firstValueFrom(client.session.streams$);
    client.connection.streamSend(0, Buffer.from([1, 1, 0x61]), false);
    client.flush();
    const reading = (await incoming).read();
    client.connection.streamSend(0, Buffer.of(), true);
    client.flush();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_PROTOCOL' });
    expect(await client.until(() => resetCode(client, 0))).toBe(`StreamReset(${StreamCode.END_MARK})`);
  });

  it.each([
    ['an unknown message', Buffer.of(9), false],
    ['its end', Buffer.of(0), true],
  ])('ends the session by %s on the control stream', async (_, bytes, fin) => {
    const client = await establishedClient();
    client.connection.streamSend(2, bytes, fin);
    client.flush();
    expect(await client.session.closed).toMatchObject({ by: 'local', code: CloseCode.PROTOCOL });
    expect(await client.until(() => client.connection.peerError() ?? undefined)).toMatchObject({
      isApp: true,
      errorCode: CloseCode.PROTOCOL,
    });
  });

  it('changes nothing by control messages about streams that are not there', async () => {
    const client = await establishedClient();
    client.connection.streamSend(2, Buffer.of(0, 0, 0, 0, 0, 0, 77, 1, 255, 255, 255, 255, 255, 255), false);
    client.connection.streamSend(0, Buffer.of(1, 1, 0x61), false);
    const incoming = firstValueFrom(client.session.streams$);
    client.flush();
    expect((await incoming).protocol).toBe('a');
  });

  async function establishedClient(): Promise<RawPeer> {
    const identity = createIdentity();
    const config = quicheConfig(quiche, identity);
    const factory = await quicSessions(createIdentity());
    const client = await rawPeer({ role: 'client', config, factory, expectedKey: identity.publicKey });
    await client.session.established;
    return client;
  }

  /** What quiche says of a stream that the other side reset. */
  function resetCode({ connection }: RawPeer, id: number): string | undefined {
    try {
      connection.streamRecv(id, Buffer.alloc(10));
      return undefined;
    } catch (error) {
      return String((error as Error).message);
    }
  }
});

describe('quicSessions', () => {
  it('opens more streams than may be open at a time, as others end', async () => {
    const link = await new SessionLink(await createPair(), { clock: systemClock() }).established();
    link.server.streams$.subscribe(answer);
    const open = async () => {
      const stream = await link.client.openStream('x');
      await stream.end();
      expect(await stream.read()).toBeNull();
    };
    for (let i = 0; i < 6; i++) await Promise.all(Array.from({ length: 1000 }, open));
  });

  it('waits with a stream until another has ended', async () => {
    const link = await new SessionLink(await createPair(), { clock: systemClock() }).established();
    link.server.streams$.subscribe(answer);
    const streams: SessionStream[] = [];
    for (let i = 0; i < 4096; i++) streams.push(await link.client.openStream('x'));
    let opened = false;
    const another = link.client.openStream('x').then(() => (opened = true));
    await link.quiet();
    expect(opened).toBe(false);
    // Credit comes back in batches (RFC 9000 section 4.6).
    for (const stream of streams) {
      await stream.end();
      await stream.read();
    }
    await another;
  });

  it('answers a peer that missed the close, ever more rarely', async () => {
    const link = await new SessionLink(await createPair(), { clock: systemClock() }).established();
    const packets: Uint8Array[] = [];
    link.onPacket = (packet) => packets.push(Uint8Array.from(packet));
    link.client.datagrams.send(Buffer.of(1));
    await link.quiet();
    link.blackHole = true;
    link.client.close(5);
    await link.client.closed;
    link.onPacket = () => {};
    const before = link.carried;
    for (let i = 0; i < 100; i++) link.client.receive(packets[0]!);
    expect(link.carried - before).toBe(7);
    link.blackHole = false;
    for (let i = 0; i < 28; i++) link.client.receive(packets[0]!);
    expect(await link.server.closed).toEqual({ by: 'remote', code: 5, reason: '' });
  });

  it('ends all sessions with its factory', async () => {
    const pair = await createPair();
    const links = [new SessionLink(pair, { clock: systemClock() }), new SessionLink(pair, { clock: systemClock() })];
    await Promise.all(links.map((link) => link.established()));
    pair.client.factory.close();
    for (const { client, server } of links) {
      expect(await client.closed).toMatchObject({ by: 'local' });
      expect(await server.closed).toMatchObject({ by: 'remote' });
    }
  });

  it('refuses keys that are none, and protocol names that do not fit', async () => {
    const pair = await createPair();
    const options = { role: 'client', expectedKey: new Uint8Array(31), transmit: () => {} } as const;
    expect(() => pair.client.factory.create(options)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    const { client } = await new SessionLink(pair, { clock: systemClock() }).established();
    await expect(client.openStream('')).rejects.toThrow(RangeError);
    await expect(client.openStream('x'.repeat(65))).rejects.toThrow(RangeError);
  });

  it('tells what to do where there is no binary', async () => {
    const failing = () => Promise.reject(new Error('Unsupported architecture'));
    await expect(loadQuiche(failing)).rejects.toMatchObject({ code: 'ERR_SESSION_PLATFORM' });
  });
});

async function createPair(): Promise<SessionPair> {
  const peer = async () => {
    const identity = createIdentity();
    return { factory: await quicSessions(identity), publicKey: identity.publicKey };
  };
  return { client: await peer(), server: await peer() };
}

async function answer(stream: SessionStream): Promise<void> {
  while ((await stream.read()) !== null);
  await stream.end();
}
