import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/flows/step.ts';
import {
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  interfaces,
  relay,
  spray,
  stun,
  TraversalError,
  tcpSimultaneousOpen,
} from '../../src/index.ts';
import {
  createTraversalModel,
  type ModelEvent,
  replay,
  type SimulatorDriverOptions,
  simulatorDriver,
  testPath,
  testPaths,
  testTrace,
} from '../../src/testing/index.ts';

describe('the default flow between two Linux routers', () => {
  const driver = simulatorDriver({ a: 'linux', b: 'linux' });
  testPaths(createTraversalModel(defaultFlow, driver), { test });
});

describe('a simulated world', () => {
  const driver = simulatorDriver({ a: 'home-router', b: 'carrier' });
  const model = createTraversalModel(defaultFlow, driver);
  const events: readonly ModelEvent[] = [
    { type: 'link.lossy' },
    { type: 'signaling.delayed' },
    { type: 'dialed' },
    { type: 'time.passed' },
    { type: 'roamed', side: 'dialer' },
    { type: 'nat.rebound', side: 'listener' },
    { type: 'time.passed' },
    { type: 'server.lost' },
    { type: 'listener.ended' },
  ];

  async function traced(seed: number): Promise<readonly string[]> {
    const lines: string[] = [];
    await testPath(model, model.getPathFromEvents(events), { seed, trace: (line) => lines.push(line) });
    return lines;
  }

  test('runs the same way for the same seed, byte for byte', async () => {
    const lines = await traced(1);
    expect(lines.length).toBeGreaterThan(50);
    expect(await traced(1)).toEqual(lines);
    expect(await traced(2)).not.toEqual(lines);
  });

  test('writes a trace that its charts replay', async () => {
    const lines = await traced(3);
    expect((await replay(lines)).records).toBe(lines.length - 2);
    const stated: [string, () => Promise<void>][] = [];
    testTrace('from the field', lines, { test: (title, body) => stated.push([title, body]) });
    expect(stated.map(([title]) => title)).toEqual(['trace from the field']);
    await stated[0]![1]();
  });

  test('a trace of something else is told by its line', async () => {
    const lines = await traced(3);
    const spoiled = lines.map((line) => line.replace('"liveness":"fresh"', '"liveness":"lost"'));
    expect(spoiled).not.toEqual(lines);
    await expect(replay(spoiled)).rejects.toThrow(/^the replay differs at line \d+\n- .*lost.*\n\+ .*fresh/s);
    expect(() => testTrace('empty', [], { test })).toThrow(TraversalError);
  });

  test('knows what the oracle says of its place', () => {
    const between = (a: 'public' | 'linux' | 'hotel-wifi', b: 'linux' | 'hotel-wifi') =>
      simulatorDriver({ a, b }).prospects(flowOf(checks()));
    expect(between('public', 'linux')).toEqual({ direct: 'sure', withoutUdp: 'sure' });
    expect(between('linux', 'linux')).toEqual({ direct: 'sure', withoutUdp: 'impossible' });
    expect(between('hotel-wifi', 'hotel-wifi')).toEqual({ direct: 'impossible', withoutUdp: 'impossible' });
  });

  test.each([
    ['spray', spray(), 'hotel-wifi', 'possible', 'impossible'],
    ['TCP simultaneous open', tcpSimultaneousOpen(), 'linux', 'sure', 'sure'],
    ['TCP simultaneous open at a hotel', tcpSimultaneousOpen(), 'hotel-wifi', 'impossible', 'impossible'],
    ["a user's, which may do what any can", shy(), 'linux', 'possible', 'possible'],
    ["a user's, where none can do anything", shy(), 'corporate-firewall', 'impossible', 'impossible'],
  ] as const)('and for what the strategies can do: %s', (_, punch, b, direct, withoutUdp) => {
    expect(simulatorDriver({ a: 'linux', b }).prospects(flowOf(punch))).toEqual({ direct, withoutUdp });
  });

  test('blames no flow for what it does not try', async () => {
    const plain = createTraversalModel(flowOf(checks()), simulatorDriver({ a: 'linux', b: 'linux' }));
    const withoutUdp = plain.getPathFromEvents([{ type: 'udp.blocked' }, { type: 'dialed' }, { type: 'time.passed' }]);
    expect(withoutUdp.description).toMatch(/: connected\.relayed$/);
    await testPath(plain, withoutUdp);
  });

  test('says how it is made', () => {
    expect(simulatorDriver({ a: 'linux', b: [{ nat: {} }] }).code).toBe(
      "simulatorDriver({ a: 'linux', b: [{ nat: {} }] })",
    );
  });

  test.each<[unknown, string]>([
    [undefined, 'options: must be an object'],
    [{ a: 'linux' }, 'options.b: is missing'],
    [{ a: 'linux', b: 'home' }, 'b-home: there is no preset home; there are '],
    [{ a: 'linux', b: 5 }, 'nat: must be an object'],
    [{ a: 'linux', b: 'linux', maping: false }, 'options.maping: there is no such field'],
    [{ a: 'linux', b: 'linux', turn: 'yes' }, 'options.turn: must be true or false'],
  ])('refuses %j', (options, message) => {
    const make = () => simulatorDriver(options as SimulatorDriverOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }));
  });
});

function flowOf(punch: Step<'direct'>) {
  return defineFlow({ discover: [interfaces(), stun()], punch, fallback: relay() });
}

/** A strategy of which nobody knows what it can do. */
function shy() {
  return defineStrategy({
    name: 'shy',
    gives: 'direct',
    bounds: { time: 1_000, packets: 0, sockets: 0 },
    run: async () => ({ ok: false, reason: 'it does not dare' }),
  });
}
