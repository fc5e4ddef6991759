import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import type { NatSpec } from '../../../src/sim/nat/nat-spec.ts';
import { inside, natBench, remote } from './nat-bench.ts';

const INSIDE = formatEndpoint(inside());
const udp = { unanswered: 30_000, answered: 120_000 };

/** Whether the flow between inside() and remote() stands at `now`: only then is the filter open. */
function standsAt(now: number, spec: NatSpec, history: readonly (readonly [number, 'out' | 'in'])[]): boolean {
  const bench = natBench({ udp, ...spec });
  let external = '';
  for (const [at, direction] of history) {
    bench.now = at;
    if (direction === 'out') external = bench.out(inside(), remote());
    else expect(bench.in(remote(), external)).toBe(INSIDE);
  }
  bench.now = now;
  return bench.in(remote(), external) === INSIDE;
}

describe('timeouts (RFC 4787 REQ-5)', () => {
  test('a flow without an answer ends after `unanswered`', () => {
    expect(standsAt(29_999, {}, [[0, 'out']])).toBe(true);
    expect(standsAt(30_000, {}, [[0, 'out']])).toBe(false);
  });

  test('one with an answer after `answered`', () => {
    const history = [
      [0, 'out'],
      [10_000, 'in'],
    ] as const;
    expect(standsAt(119_999, {}, history)).toBe(true);
    expect(standsAt(120_000, {}, history)).toBe(false);
  });

  test('the default is five minutes (REQ-5c)', () => {
    const bench = natBench();
    const external = bench.out(inside(), remote());
    bench.now = 299_999;
    expect(bench.out(inside(), remote())).toBe(external);
    bench.now = 299_999 + 300_000;
    expect(bench.out(inside(), remote())).not.toBe(external);
  });

  test('a mapping lives as long as any of its flows, a filter as long as its own', () => {
    const bench = natBench({ udp });
    const external = bench.out(inside(), remote(1));
    bench.now = 20_000;
    bench.out(inside(), remote(2));
    bench.now = 40_000;
    expect(bench.in(remote(1), external)).toBe('filtered');
    expect(bench.in(remote(2), external)).toBe(INSIDE);
    expect(bench.out(inside(), remote(3))).toBe(external);
  });

  test('what has expired can be given out again', () => {
    const bench = natBench({ udp, ports: { first: 3000, last: 3000 } });
    const external = bench.out(inside(2), remote());
    expect(bench.out(inside(3), remote())).toBe('no external port left');
    bench.now = 30_000;
    expect(bench.out(inside(3), remote())).toBe(external);
    expect(bench.in(remote(), external)).toBe(formatEndpoint(inside(3)));
  });
});

describe('refresh direction (RFC 4787 REQ-6)', () => {
  const sent = [
    [0, 'out'],
    [1000, 'in'],
    [100_000, 'out'],
  ] as const;
  const received = [
    [0, 'out'],
    [1000, 'in'],
    [100_000, 'in'],
  ] as const;

  test.each([
    { refresh: 'outbound', afterSending: 220_000, afterReceiving: 120_000 },
    { refresh: 'inbound', afterSending: 121_000, afterReceiving: 220_000 },
    { refresh: 'both', afterSending: 220_000, afterReceiving: 220_000 },
  ] as const)('$refresh', ({ refresh, afterSending, afterReceiving }) => {
    for (const [history, end] of [
      [sent, afterSending],
      [received, afterReceiving],
    ] as const) {
      expect(standsAt(end - 1, { refresh }, history)).toBe(true);
      expect(standsAt(end, { refresh }, history)).toBe(false);
    }
  });

  test.each([
    ['outbound', false],
    ['both', true],
  ] as const)('%s: strangers who were let in keep a mapping: %s', (refresh, isKept) => {
    const bench = natBench({ udp, refresh, filtering: 'endpoint-independent' });
    const external = bench.out(inside(), remote(1));
    bench.now = 20_000;
    expect(bench.in(remote(2), external)).toBe(INSIDE);
    bench.now = 40_000;
    expect(bench.in(remote(3), external)).toBe(isKept ? INSIDE : 'local');
  });
});
