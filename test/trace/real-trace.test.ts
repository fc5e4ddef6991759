import { firstValueFrom } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import type { Random } from '../../src/core/random.ts';
import { iceCredentials } from '../../src/protocol/rendezvous/ice-credentials.ts';
import { decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { recordPeers, replayTrace, type TraceRecord } from '../../src/trace/index.ts';
import { sendAll, streamBetween } from '../peer/transfer.ts';
import { createWorld, type InhabitantOptions, untilPath } from '../peer/world.ts';
import { changed, differenceIn, formsOf } from './lines.ts';

const SAID = 'the words that were said over the stream';

/** Two real peers meet, go from the relay to a direct path, say something and part. */
async function recordMeeting(): Promise<{ lines: string[]; secrets: (Uint8Array | string)[] }> {
  const lines: string[] = [];
  const secrets: (Uint8Array | string)[] = [SAID];
  const trace = recordPeers((line) => void lines.push(line), systemClock());
  const random = cryptoRandom();
  const tapped: Random = {
    bytes(length) {
      const drawn = random.bytes(length);
      if (length >= 16) secrets.push(drawn);
      return drawn;
    },
  };
  const inhabitantOf = (who: string) => {
    const identity = createIdentity();
    secrets.push(identity.privateKeyPem.split('\n')[1]!, identity.privateKeyPem);
    const options: InhabitantOptions = { identity, observer: trace.peer(who), env: { random: tapped } };
    return { options };
  };

  await using world = createWorld();
  const [a, b] = [inhabitantOf('a'), inhabitantOf('b')];
  const dialer = await world.inhabitant(a.options);
  const listener = await world.inhabitant(b.options);
  const ticket = await listener.peer.createTicket();
  const incoming = firstValueFrom(listener.peer.incoming$);
  const here = dialer.peer.connect(ticket);
  await here.ready;
  const there = await incoming;
  await untilPath(here, 'direct');
  const [stream] = await streamBetween(here, there);
  await sendAll(stream, Buffer.from(SAID));
  await Promise.all([here.close(), there.close()]);
  await Promise.all([dialer.peer.close(), listener.peer.close()]);
  trace.end();

  const { secret } = decodeTicket(ticket);
  const credentials = iceCredentials(secret, Buffer.from(here.id, 'hex'), 0);
  secrets.push(ticket, secret, credentials.dialer.pwd, credentials.listener.pwd);
  return { lines, secrets };
}

let lines: readonly string[];
let secrets: readonly (Uint8Array | string)[];

beforeAll(async () => {
  ({ lines, secrets } = await recordMeeting());
});

const isEvent = (actor: RegExp, type: string) => (record: TraceRecord) =>
  record.what === 'event' && actor.test(record.actor) && record.event.type === type;

describe('a trace of real peers', () => {
  it('has a header, the records of both peers, and an end', () => {
    const [header, ...records] = lines.map((line) => JSON.parse(line));
    expect(header).toEqual({
      format: 'sallyport-trace',
      version: 1,
      sallyport: expect.any(String),
      world: 'real',
      began: expect.any(Number),
    });
    expect(records.at(-1)).toEqual({ t: expect.any(Number), what: 'end', records: records.length - 1 });
    const seen = new Set(records.map(({ who, what }) => `${who} ${what}`));
    for (const who of ['a', 'b'])
      for (const what of [
        'machine',
        'chart',
        'actor',
        'event',
        'path',
        'pairs',
        'candidate',
        'behavior',
        'signal',
        'verdict',
      ])
        expect(seen).toContain(`${who} ${what}`);
    const times = records.map(({ t }) => t);
    expect(times).toEqual([...times].sort((x, y) => x - y));
  });

  it('tells the paths of a connection as it took them', () => {
    const paths = lines.map((line) => JSON.parse(line)).filter(({ what, who }) => what === 'path' && who === 'a');
    expect(paths[0].actor).toMatch(/^connection [\da-f]{8}$/);
    expect(paths.map(({ path }) => path?.kind)).toEqual(expect.arrayContaining(['direct']));
  });

  it('holds no key, ticket, password or payload, in no form', () => {
    const text = lines.join('\n');
    expect(secrets.length).toBeGreaterThan(10);
    const found = secrets.flatMap(formsOf).filter((form) => text.includes(form));
    expect(found).toEqual([]);
  });

  it('replays to the same states', async () => {
    const { records, differs, header } = await replayTrace(lines);
    expect(differs).toBeUndefined();
    expect(records).toBe(lines.length - 2);
    expect(header.world).toBe('real');
  });
});

describe('a replay notices', () => {
  it('a state that was changed', async () => {
    const trace = changed(lines, isEvent(/^connection/, 'session.established'), (record) => ({
      ...record,
      state: { connected: { path: 'direct', liveness: 'suspect' } },
    }));
    const { line, expected, got } = await differenceIn(trace.lines);
    expect(line).toBe(trace.line);
    expect(JSON.parse(expected!).state).toEqual({ connected: { path: 'direct', liveness: 'suspect' } });
    expect(JSON.parse(got!).state.connected.liveness).toBe('fresh');
  });

  it('a status that was changed', async () => {
    const trace = changed(
      lines,
      (record) => record.what === 'event' && /^connection [\da-f]+$/.test(record.actor) && record.status === 'done',
      ({ ...record }) => ({ ...record, status: undefined }),
    );
    expect((await differenceIn(trace.lines)).line).toBe(trace.line);
  });

  it('a path that was changed', async () => {
    const trace = changed(
      lines,
      (record) => record.what === 'path' && record.path !== null,
      (record) => ({ ...record, path: null }),
    );
    expect((await differenceIn(trace.lines)).line).toBe(trace.line);
  });

  it('an event that is missing, by the state after a later one', async () => {
    const trace = changed(lines, isEvent(/^connection/, 'connection.started'), () => undefined);
    const { line, got } = await differenceIn(trace.lines);
    expect(line).toBeGreaterThanOrEqual(trace.line);
    expect(line).toBeLessThan(lines.length - 1);
    expect(JSON.parse(got!).state).toBe('idle');
  });

  it('a chart whose beginning is missing', async () => {
    const trace = changed(
      lines,
      ({ what }) => what === 'chart',
      () => undefined,
    );
    expect(JSON.parse((await differenceIn(trace.lines)).got!).state).toBe('not started');
  });

  it('any other line that is missing, by the count at the end', async () => {
    const trace = changed(
      lines,
      ({ what }) => what === 'candidate',
      () => undefined,
    );
    const { line, expected, got } = await differenceIn(trace.lines);
    expect(line).toBe(lines.length - 1);
    expect(JSON.parse(got!).records).toBe(JSON.parse(expected!).records - 1);
  });

  it('that its end is missing', async () => {
    const { line, expected, got } = await differenceIn(lines.slice(0, -3));
    expect([line, expected]).toEqual([lines.length - 2, undefined]);
    expect(JSON.parse(got!)).toMatchObject({ what: 'end', records: lines.length - 4 });
  });

  it('lines after the end', async () => {
    expect(await differenceIn([...lines, lines[1]!])).toEqual({
      line: lines.length + 1,
      expected: lines[1],
      got: undefined,
    });
  });
});
