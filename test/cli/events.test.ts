import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { type CommandEvent, listenJson, run, sallyport } from './sallyport.ts';
import { startTestServer } from './server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const endpointText = expect.stringMatching(/^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d+$/);
const number = expect.any(Number);
/** What each event must hold, beside what later versions may add. */
const shapes: Record<string, object> = {
  ticket: { ticket: expect.stringMatching(/^sp1[A-Za-z0-9_-]+$/) },
  state: { t: number, value: expect.anything() },
  candidate: { t: number, type: expect.stringMatching(/^(host|srflx)$/), address: endpointText, priority: number },
  path: {
    t: number,
    kind: expect.stringMatching(/^(direct|relayed)$/),
    transport: expect.stringMatching(/^(udp|websocket)$/),
    local: expect.any(String),
    remote: expect.any(String),
    strategy: expect.stringMatching(/^(checks|relay)$/),
  },
  connected: { t: number },
  pong: { t: number, seq: number, rtt: number, kind: expect.any(String), transport: expect.any(String) },
  message: { text: expect.any(String) },
  closed: { t: number },
  verdict: {
    outcome: expect.stringMatching(/^(direct|relayed|failed)$/),
    summary: expect.any(String),
    paths: expect.any(Array),
    attempts: expect.any(Array),
    behaviors: { mine: expect.any(Object), theirs: expect.any(Object) },
    candidates: { local: expect.any(Array), remote: expect.any(Array) },
    advice: expect.any(Array),
  },
  error: { code: expect.stringMatching(/^ERR_[A-Z_]+$/), message: expect.any(String) },
};

function expectShapes(events: readonly CommandEvent[]): void {
  for (const event of events) expect(event).toMatchObject(shapes[event.event] ?? { event: 'one that is documented' });
  const times = events.flatMap(({ t }) => (typeof t === 'number' ? [t] : []));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(0);
}

describe.concurrent('--json', () => {
  it('tells the whole life of a connection on both sides, one object a line', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const dialer = await run(['ping', listener.ticket, '--json', '--count', '3', '--interval', '1']);
    await listener.event('verdict');
    listener.signal('SIGINT');
    const ends = [dialer, await listener.ended];
    for (const { code, events, stdout, stderr } of ends) {
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout.trimEnd().split('\n')).toHaveLength(events.length);
      expectShapes(events);
      expect(events.map(({ event }) => event)).toEqual(
        expect.arrayContaining(['state', 'candidate', 'path', 'connected', 'closed', 'verdict']),
      );
    }
    expect(dialer.events.filter(({ event }) => event === 'pong').map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(dialer.events.slice(-2).map(({ event }) => event)).toEqual(['closed', 'verdict']);
  });

  it('names no address with --policy relay-only', async () => {
    await using listener = await listenJson(server.url, ['--echo', '--policy', 'relay-only']);
    const { code, events } = await run([
      ...['ping', listener.ticket, '--json', '--count', '3', '--interval', '1'],
      ...['--policy', 'relay-only'],
    ]);
    expect(code).toBe(0);
    expectShapes(events);
    expect(events.filter(({ event }) => event === 'candidate')).toEqual([]);
    const verdict = events.at(-1)!;
    expect(verdict).toMatchObject({ outcome: 'relayed', candidates: { local: [], remote: [] } });
    expect(verdict.attempts).toEqual([expect.objectContaining({ strategy: 'relay', ok: true })]);
    expect(events.filter(({ event }) => event === 'pong').every(({ kind }) => kind === 'relayed')).toBe(true);
  });

  it('tells wrong use as an event too', async () => {
    for (const args of [
      ['connect', '--json', '--no-such-option'],
      ['listen', '--json', '--policy', 'none'],
      ['ping', '--json', '--count', 'many'],
      ['listen', '--json', '--echo', '--message', 'x'],
    ]) {
      const { code, events, stdout } = await run(args);
      expect(code).toBe(2);
      expect(events).toMatchObject([{ event: 'error', code: 'ERR_USAGE' }]);
      expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    }
  });
});

describe.concurrent('ping', () => {
  it('prints each round trip with its path', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const { code, stdout } = await run(['ping', listener.ticket, '--count', '2', '--interval', '1']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(pong \d {2}\d+\.\d ms {2}(direct, udp|relayed, websocket)\n){2}$/);
  });

  it('stops at the first direct round trip with --until-direct', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const end = await run(['ping', listener.ticket, '--json', '--until-direct', '--count', '1000', '--interval', '5']);
    const kinds = end.events.filter(({ event }) => event === 'pong').map(({ kind }) => kind);
    expect(end.code).toBe(0);
    expect(kinds.filter((kind) => kind === 'direct')).toHaveLength(1);
    expect(kinds.at(-1)).toBe('direct');
  });

  it('has exit code 1 with --until-direct when none was direct', async () => {
    await using listener = await listenJson(server.url, ['--echo', '--policy', 'relay-only']);
    const end = await run(['ping', listener.ticket, '--until-direct', '--count', '2', '--interval', '1']);
    expect(end.code).toBe(1);
  });

  it('says at once that the listener has ended, however long the interval', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    await using pinging = sallyport(['ping', listener.ticket, '--json', '--interval', '3600000']);
    await pinging.event('pong');
    listener.signal('SIGTERM');
    const end = await pinging.ended;
    expect(end.code).toBe(1);
    expect(end.events.at(-1)).toMatchObject({ event: 'error', code: 'ERR_CLOSED' });
  });
});
