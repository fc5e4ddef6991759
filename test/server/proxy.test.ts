import { afterEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/server/index.ts';
import { connect, releaseAll, serve } from './raw-client.ts';

afterEach(releaseAll);

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

/** The code that a client is turned away with: an HTTP status, or that of the close frame; `undefined` when it is let in. */
function turnedAway(server: RunningServer, field: string): Promise<number | undefined> {
  return connect(server, from(field)).then(
    () => undefined,
    (error: Error) => Number(/\d{3,4}/.exec(error.message)?.[0]),
  );
}

describe('clients behind a proxy', () => {
  const limits = { clientsPerSource: 1, wrongTokensPerSource: { rate: 1, burst: 1 } };

  it('are counted by the address that it names', async () => {
    const server = await serve({ trustProxy: true, limits });
    await connect(server, from('203.0.113.1'));
    await connect(server, from('203.0.113.9, 203.0.113.2'));
    expect(server.counters()).toMatchObject({ clients: 2, refused: { 'source-full': 0 } });
    expect(await turnedAway(server, '203.0.113.2, 203.0.113.1')).toBe(1013);
    expect(server.counters()).toMatchObject({ clients: 2, refused: { 'source-full': 1 } });
  });

  it('are all at the proxy’s address when it is not trusted', async () => {
    const server = await serve({ limits });
    await connect(server, from('203.0.113.1'));
    expect(await turnedAway(server, '203.0.113.2')).toBe(1013);
  });

  it('are held to what they have done, one by one', async () => {
    const server = await serve({ trustProxy: true, token: 'right', limits });
    expect(await turnedAway(server, '203.0.113.1')).toBe(401);
    expect(await turnedAway(server, '203.0.113.1')).toBe(429);
    expect(await turnedAway(server, '203.0.113.2')).toBe(401);
  });

  it('cannot come from an address that is none', async () => {
    const server = await serve({ trustProxy: true });
    expect(await turnedAway(server, 'unknown')).toBe(400);
    expect(server.counters().rejected.forwarded).toBe(1);
  });
});
