import { describe, expect, test } from 'vitest';
import { defaultFlow, TraversalError } from '../../src/index.ts';
import {
  createTraversalModel,
  type ModelEvent,
  propertyTest,
  replay,
  simulatorDriver,
  testPath,
  testPaths,
  testTrace,
} from '../../src/testing/index.ts';
import { pairs } from './pairs.ts';

describe('the default flow between two Linux routers', () => {
  const driver = simulatorDriver({ a: 'linux', b: 'linux' });
  testPaths(createTraversalModel(defaultFlow, driver), driver, { test });
});

describe('random sequences', () => {
  const all = pairs();
  test.each(all.map(({ title }, i) => [title, i] as const))('%s', { timeout: 120_000 }, async (_, i) => {
    const { model, driver } = all[i]!;
    await propertyTest({ model, driver, runs: Math.ceil(300 / all.length), seed: 20_260_000 + i });
  });
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
    await testPath(model, driver, model.getPathFromEvents(events), { seed, trace: (line) => lines.push(line) });
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

  test('knows what the oracle says of its place, for what the strategies can do', () => {
    const techniques = ['host', 'reflexive', 'tcp'] as const;
    const between = (a: 'public' | 'linux' | 'hotel-wifi', b: 'linux' | 'hotel-wifi') =>
      simulatorDriver({ a, b, techniques }).prospects;
    expect(between('public', 'linux')).toEqual({ direct: 'sure', withoutUdp: 'sure' });
    expect(between('linux', 'linux')).toEqual({ direct: 'sure', withoutUdp: 'impossible' });
    expect(between('hotel-wifi', 'hotel-wifi')).toEqual({ direct: 'impossible', withoutUdp: 'impossible' });
    const lucky = simulatorDriver({ a: 'linux', b: 'hotel-wifi', techniques: ['spray'] });
    expect(lucky.prospects).toEqual({ direct: 'possible', withoutUdp: 'impossible' });
    expect(lucky.code).toBe("simulatorDriver({ a: 'linux', b: 'hotel-wifi', techniques: ['spray'] })");
  });
});
