import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Quiche } from '@matrixai/quic/native/quiche.js';
import type { Config, Connection } from '@matrixai/quic/native/types.js';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { createIdentity } from '../../../src/adapters/node/identity.ts';
import { ADDRESSES, quicheConfig } from '../../../src/adapters/session/quic/config.ts';
import { CloseCode, quicSessions } from '../../../src/adapters/session/quic/index.ts';
import { loadQuiche } from '../../../src/adapters/session/quic/native.ts';
import { QuicSession } from '../../../src/adapters/session/quic/quic-session.ts';
import type { Session, SessionEnd } from '../../../src/core/session.ts';
import { SessionLink } from '../../../src/testing/compliance/session-link.ts';
import { type RawPeer, rawPeer } from './raw-peer.ts';

let quiche: Quiche;
beforeAll(async () => {
  quiche = await loadQuiche();
});

const uncaught: unknown[] = [];
const keep = (error: unknown): void => void uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', keep);
});
afterEach(async () => {
  await setImmediate();
  process.off('uncaughtException', keep);
  expect(uncaught).toEqual([]);
});

describe.each(['client', 'server'] as const)('a hostile %s', (role) => {
  /** Ids of the control streams (RFC 9000 section 2.1). */
  const [mine, theirs] = role === 'client' ? [2, 3] : [3, 2];
  const firstStream = role === 'client' ? 0 : 1;

  it('ends its session by a reset of its control stream', async () => {
    const peer = await attacker();
    peer.connection.streamSend(mine, Buffer.of(0, 0, 0, 0, 0, 0, 4), false);
    peer.flush();
    peer.connection.streamShutdown(mine, WRITE, 7);
    await isViolation(peer, 'control stream: the other side reset its own (StreamReset(7))');
  });

  it('ends its session by the end of its control stream', async () => {
    const peer = await attacker();
    peer.connection.streamSend(mine, Buffer.of(), true);
    await isViolation(peer, 'control stream: the other side ended its own');
  });

  it('ends its session by nonsense on its control stream', async () => {
    const peer = await attacker();
    peer.connection.streamSend(mine, Buffer.of(9), false);
    await isViolation(peer, 'cannot decode session/control/type');
  });

  it.each(['at once', 'when the session writes on it', 'while the session closes'])(
    'ends its session by stopping the other control stream, %s',
    async (when) => {
      const peer = await attacker();
      const stream = await peer.session.openStream('x');
      stream.reset(); // tells on the control stream, which a stream must have seen before it can be stopped
      await peer.until(() => ([...peer.connection.readable()].includes(theirs) ? true : undefined));
      peer.connection.streamShutdown(theirs, READ, 7);
      const other = await peer.session.openStream('y');
      peer.flush();
      if (when === 'when the session writes on it') other.reset();
      if (when === 'while the session closes') peer.session.close(5);
      await isViolation(peer, 'control stream: the other side stopped ours (StreamStopped(7))');
    },
  );

  it('ends its session by not reading the other control stream', async () => {
    const peer = await attacker((config) => {
      config.setInitialMaxStreamDataUni(0);
      config.setInitialMaxStreamsBidi(20_000);
    });
    for (let i = 0; i < 2 ** 16 / 7; i++) (await peer.session.openStream('x')).reset();
    await isViolation(peer, 'control stream: the other side does not read ours');
  });

  it('gets no session when it allows no control stream', async () => {
    const peer = await attacker((config) => config.setInitialMaxStreamsUni(0), false);
    await expect(peer.session.established).rejects.toMatchObject({ code: 'ERR_SESSION_HANDSHAKE' });
    await expect(peer.session.openStream('x')).rejects.toMatchObject({ code: 'ERR_SESSION_HANDSHAKE' });
    await isViolation(peer, 'control stream: the other side allows none of ours');
  });

  it('ends its session by an idle timeout, which has no place here', async () => {
    const peer = await attacker((config) => config.setMaxIdleTimeout(20));
    await isViolation(peer, 'the other side set an idle timeout, or sent a stateless reset');
  });

  it('closes with the largest of codes, and is shown with one that can be sent', async () => {
    const peer = await attacker();
    peer.connection.close(true, LARGEST, Buffer.of());
    peer.flush();
    const { by, code } = await peer.session.closed;
    expect(by).toBe('remote');
    expect(() => peer.session.close(code)).not.toThrow();
    neverThrows(peer.session);
  });

  it('resets with the largest of codes, which may be handed on', async () => {
    const peer = await attacker();
    const stream = await peer.session.openStream('x');
    const reading = stream.read();
    await peer.until(() => (peer.connection.streamReadable(stream.id) ? true : undefined));
    peer.connection.streamShutdown(stream.id, WRITE, LARGEST);
    peer.flush();
    const error = await reading.then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'ERR_STREAM_RESET' });
    const another = await peer.session.openStream('y');
    another.reset(error.resetCode);
    await peer.until(() =>
      resetCode(peer.connection, another.id) === `StreamReset(${error.resetCode})` ? true : undefined,
    );
  });

  it('does not break its session by resets and stops anywhere in a stream', async () => {
    const peer = await attacker();
    peer.session.streams$.subscribe(async (stream) => {
      const nothing = (): void => {};
      stream.write(Buffer.alloc(1000)).catch(nothing);
      stream.read().catch(nothing);
      stream.end().catch(nothing);
    });
    const preface = Buffer.of(1, 1, 0x78, 0x21);
    for (let length = 1; length <= preface.length; length++) {
      for (const directions of [[READ], [WRITE], [READ, WRITE]]) {
        for (const flushes of [true, false]) {
          const id = firstStream + 4 * nextStream++;
          peer.connection.streamSend(id, preface.subarray(0, length), false);
          if (flushes) peer.flush();
          for (const direction of directions) shutDown(peer.connection, id, direction);
          peer.flush();
          await setImmediate();
        }
      }
    }
    expect(await Promise.race([peer.session.closed, setTimeout(20, 'open')])).toBe('open');
    await peer.session.openStream('x');
  });

  it('that takes no datagrams gets none, not even an empty one', async () => {
    const peer = await attacker((config) => config.enableDgram(false, 0, 0));
    expect(peer.session.datagrams.maxLength()).toBe(0);
    expect(peer.session.datagrams.send(Buffer.of())).toBe(false);
    expect(peer.session.datagrams.send(Buffer.of(1))).toBe(false);
  });

  it('that gives no room at all keeps nobody from closing', async () => {
    const peer = await attacker((config) => {
      config.setInitialMaxData(0);
      config.setInitialMaxStreamsBidi(0);
    });
    const opening = peer.session.openStream('x');
    neverThrows(peer.session);
    peer.session.close(5);
    await expect(opening).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(await peer.session.closed).toEqual({ by: 'local', code: 5, reason: '' });
  });

  let nextStream = 0;
  let bystanders: SessionLink;
  beforeEach(() => {
    nextStream = 0;
  });
  /** Other sessions of the same factory. */
  afterEach(async () => {
    const stream = await bystanders.client.openStream('alive');
    expect(stream.protocol).toBe('alive');
    bystanders.server.datagrams.send(Buffer.of(1));
    await setImmediate();
    expect(bystanders.client.stats().receivedPackets).toBeGreaterThan(0);
    expect(await Promise.race([bystanders.client.closed, bystanders.server.closed, setTimeout(5, 'open')])).toBe(
      'open',
    );
  });

  async function attacker(configure: (config: Config) => void = () => {}, established = true): Promise<RawPeer> {
    const victim = createIdentity();
    const factory = await quicSessions(victim);
    const third = createIdentity();
    const client = { factory: await quicSessions(third), publicKey: third.publicKey };
    bystanders = new SessionLink(
      { client, server: { factory, publicKey: victim.publicKey } },
      { clock: systemClock() },
    );
    await bystanders.established();
    const identity = createIdentity();
    const config = quicheConfig(quiche, identity);
    configure(config);
    const peer = await rawPeer({ role, config, factory, expectedKey: identity.publicKey });
    if (established) await peer.session.established;
    return peer;
  }
});

describe('QuicSession', () => {
  it('ends when quiche cannot make a packet, and still tries to say so', async () => {
    let connection: Connection | undefined;
    let tries = 0;
    const { to, from } = ADDRESSES;
    const connectionId = Buffer.alloc(16, 1);
    const session = new QuicSession({
      role: 'client',
      expectedKey: new Uint8Array(32),
      transmit: () => {},
      connectionId,
      open: () => {
        connection = quiche.Connection.connect(null, connectionId, to, from, quicheConfig(quiche, createIdentity()));
        return connection;
      },
    });
    connection!.send = () => {
      tries++;
      throw new Error('InvalidState');
    };
    session.pathChanged();
    expect(await session.closed).toEqual({
      by: 'local',
      code: CloseCode.PROTOCOL,
      reason: 'QUIC cannot go on: InvalidState',
    });
    expect(tries).toBe(2);
    await expect(session.established).rejects.toMatchObject({ code: 'ERR_SESSION_HANDSHAKE' });
    neverThrows(session);
  });

  it('does not catch what its owner throws', async () => {
    const config = quicheConfig(quiche, createIdentity());
    const { to, from } = ADDRESSES;
    const connectionId = Buffer.alloc(16, 1);
    const transmit = (): void => {
      throw new Error('of our own');
    };
    const open = (): Connection => quiche.Connection.connect(null, connectionId, to, from, config);
    const options = { role: 'client', expectedKey: new Uint8Array(32), transmit, connectionId, open } as const;
    expect(() => new QuicSession(options)).toThrow('of our own');
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 48, 2 ** 62])(
    'refuses the code %s, which would bring the process down',
    async (code) => {
      const peer = async () => {
        const identity = createIdentity();
        return { factory: await quicSessions(identity), publicKey: identity.publicKey };
      };
      const pair = { client: await peer(), server: await peer() };
      const { client } = await new SessionLink(pair, { clock: systemClock() }).established();
      const stream = await client.openStream('x');
      expect(() => stream.reset(code)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
      expect(() => client.close(code)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
      await stream.write(Buffer.of(1));
    },
  );
});

/** The session has ended with our code, the other side was told if it could be, and whoever still calls is told, not hurt. */
async function isViolation(peer: RawPeer, reason: string): Promise<void> {
  const end: SessionEnd = { by: 'local', code: CloseCode.PROTOCOL, reason };
  peer.flush();
  expect(await peer.session.closed).toEqual(end);
  await expect(peer.session.openStream('late')).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  neverThrows(peer.session);
}

/** What a program may call at any time. */
function neverThrows(session: Session): void {
  session.isWaiting();
  session.stats();
  session.pathChanged();
  session.receive(Buffer.alloc(100, 0x41));
  session.datagrams.maxLength();
  session.datagrams.send(Buffer.of());
  session.openStream('never').catch(() => {});
}

/** What quiche says of a stream that the other side reset. */
function resetCode(connection: Connection, id: number): string | undefined {
  try {
    connection.streamRecv(id, Buffer.alloc(10));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function shutDown(connection: Connection, id: number, direction: number): void {
  try {
    connection.streamShutdown(id, direction, 7);
  } catch {
    // the session was quicker
  }
}

/** quiche's `Shutdown`. */
const READ = 0;
const WRITE = 1;
/** The largest number that is a code of QUIC: 2^62-1 is read as 2^62. */
const LARGEST = 2 ** 62 - 512;
