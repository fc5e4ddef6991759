import { expect } from 'vitest';
import type { Session } from '../../core/session.ts';
import { filled } from './bytes.ts';
import type { SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** How sessions come about, and who is refused. */
export function handshakeTests(test: Test<SessionBench>): void {
  test('establishes on both sides, with connection ids of 16 bytes', async (bench) => {
    const { client, server } = await bench.connect();
    expect([client.role, server.role]).toEqual(['client', 'server']);
    expect(client.connectionId).toHaveLength(16);
    expect(server.connectionId).toHaveLength(16);
    expect(client.connectionId).not.toEqual(server.connectionId);
  });

  test('transmits the client’s first packets before create returns', async (bench) => {
    const { client, server } = bench.world;
    let packets = 0;
    bench.closeAfterwards(
      client.factory.create({ role: 'client', expectedKey: server.publicKey, transmit: () => packets++ }),
    );
    expect(packets).toBeGreaterThan(0);
  });

  test('establishes through loss, reordering and duplicates', async (bench) => {
    await bench.connect({ loss: 0.2, reorder: 0.3, duplicate: 0.3, seed: 7 });
  });

  test('refuses a server with another key, and surfaces nothing of it', async (bench) => {
    const link = bench.link({ clientExpects: filled(32, 9) });
    const surfaced = watch(link.client);
    await expect(link.client.established).rejects.toMatchObject({ code: 'ERR_PEER_KEY' });
    await expect(link.client.openStream('echo')).rejects.toMatchObject({ code: 'ERR_PEER_KEY' });
    expect(await link.client.closed).toMatchObject({ by: 'local' });
    expect(surfaced.count).toBe(0);
  });

  test('refuses a client with another key, and surfaces nothing of it', async (bench) => {
    const link = bench.link({ serverExpects: filled(32, 9) });
    const surfaced = watch(link.server);
    // The client may believe in the session until the refusal arrives (RFC 8446 section 4.4.4).
    const opened = link.client.openStream('echo').then(
      (stream) => stream.read(),
      (error) => Promise.reject(error),
    );
    await expect(link.server.established).rejects.toMatchObject({ code: 'ERR_PEER_KEY' });
    await expect(opened).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    expect(await link.client.closed).toMatchObject({ by: 'remote' });
    expect(surfaced.count).toBe(0);
  });
}

/** Counts what a session surfaces. */
function watch(session: Session): { count: number } {
  const seen = { count: 0 };
  session.streams$.subscribe(() => seen.count++);
  session.datagrams.incoming$.subscribe(() => seen.count++);
  return seen;
}
