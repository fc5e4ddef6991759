import { describe, expect, test } from 'vitest';
import { checks, defaultFlow, defineFlow, interfaces, pcp, sequence, spray, stun } from '../../src/index.ts';
import type { Forecast, Prospect, ServerReach, Technique } from '../../src/sim/index.ts';
import { TECHNIQUES } from '../../src/sim/oracle/forecast.ts';
import type { CellRun } from '../../src/testing/matrix/cell-run.ts';
import { flowTechniques } from '../../src/testing/matrix/flow-techniques.ts';
import { type Judgement, judge as judgeBy } from '../../src/testing/matrix/judge.ts';

const ALL: ServerReach = { udp: true, tcp: true };
const NONE: ServerReach = { udp: false, tcp: false };

const RELAYED: CellRun = { outcome: 'relayed', session: 80, echo: 160, packets: 300 };
const FAILED: CellRun = { outcome: 'failed', packets: 10, code: 'ERR_SERVER_UNREACHABLE' };

/** Of what ICE's checks and a port mapping come to, and a few. */
function judge(forecast: Forecast, run: CellRun, others: readonly Technique[] = GUESSES): Judgement {
  return judgeBy(forecast, run, ['host', 'ipv6', 'mapped', 'reflexive', 'hairpin', 'tcp', ...others]);
}

const GUESSES: readonly Technique[] = ['predict', 'spray'];

describe('a flow', () => {
  const flow = { discover: [interfaces(), stun()], punch: checks() } as const;

  test('has all techniques, if it is the default one', () => {
    expect(flowTechniques(defaultFlow)).toEqual(TECHNIQUES);
  });

  test('has what its strategies can do', () => {
    expect(flowTechniques(defineFlow(flow))).toEqual(['host', 'ipv6', 'reflexive', 'hairpin', 'tcp']);
    expect(flowTechniques(defineFlow({ ...flow, map: pcp() }))).toContain('mapped');
    expect(flowTechniques(defineFlow({ ...flow, punch: sequence([checks(), spray()]) }))).toContain('spray');
    expect(flowTechniques(defineFlow({ ...flow, punch: spray(), map: pcp() }))).toEqual(['spray']);
  });
});

describe('a direct path', () => {
  test.each([
    ['host', ['host', 'prflx']],
    ['mapped', ['mapped', 'srflx']],
    ['mapped', ['mapped', 'host']],
    ['reflexive', ['srflx', 'prflx']],
    ['reflexive', ['prflx', 'prflx']],
    ['hairpin', ['srflx', 'srflx']],
  ] as const)('is as the oracle says: %s, to candidates %j', (technique, remoteTypes) => {
    const judgement = judge(expecting([technique]), directly('udp', 4, remoteTypes));
    expect(judgement).toEqual({
      verdict: 'direct',
      reason: `direct (${technique})`,
      prospect: prospect(technique),
    });
  });

  test('is named after what its candidates say, not after what else would do', () => {
    const all = expecting(['host', 'ipv6', 'mapped', 'reflexive', 'tcp']);
    const technique = (run: CellRun): unknown => judge(all, run);
    expect(technique(directly('udp', 4, ['prflx', 'srflx']))).toMatchObject({ prospect: { technique: 'reflexive' } });
    expect(technique(directly('udp', 4, ['prflx', 'mapped']))).toMatchObject({ prospect: { technique: 'mapped' } });
    expect(technique(directly('udp', 6, ['host', 'host']))).toMatchObject({ prospect: { technique: 'ipv6' } });
    expect(technique(directly('tcp', 4, ['host', 'prflx']))).toMatchObject({ prospect: { technique: 'tcp' } });
  });

  test("to a side's own address may have been opened from there, or by a pinhole", () => {
    const opened = directly('udp', 4, ['host', 'srflx']);
    expect(judge(expecting(['host', 'reflexive']), opened)).toMatchObject({ prospect: { technique: 'host' } });
    expect(judge(expecting(['reflexive']), opened)).toMatchObject({ prospect: { technique: 'reflexive' } });
    expect(judge(expecting(['mapped', 'spray']), opened)).toMatchObject({ prospect: { technique: 'mapped' } });
  });

  test('to an endpoint that was mapped, and heard of before it was told, is explained by that', () => {
    const learnt = directly('udp', 4, ['prflx', 'prflx']);
    expect(judge(expecting(['mapped']), learnt)).toMatchObject({ verdict: 'direct' });
  });

  test.each(['predict', 'spray', 'tcp-simultaneous-open'] as const)(
    'by %s is named after the strategy',
    (technique) => {
      const run: CellRun = {
        ...RELAYED,
        outcome: 'direct',
        by: { strategy: technique, transport: 'udp', family: 4, remoteTypes: ['prflx', 'prflx'] },
      };
      expect(judge(expecting(['reflexive', technique]), run, [technique])).toMatchObject({
        verdict: 'direct',
        prospect: { technique },
      });
      expect(judge(expecting(['reflexive']), run)).toMatchObject({ verdict: 'impossible' });
    },
  );

  test('between addresses that nobody had told may be owed to a probe that hit the peer’s own socket', () => {
    const hit = directly('udp', 4, ['prflx', 'prflx']);
    expect(judge(expecting(['spray']), hit)).toMatchObject({ verdict: 'direct', prospect: { technique: 'spray' } });
    expect(judge(expecting(['reflexive', 'spray']), hit)).toMatchObject({ prospect: { technique: 'reflexive' } });
  });

  test.each([
    ['nothing', [], directly('udp', 4, ['srflx', 'prflx'])],
    ['spray', ['spray'], directly('udp', 4, ['srflx', 'prflx'])],
    ['predict', ['predict'], directly('udp', 4, ['srflx', 'prflx'])],
    ['predict', ['predict'], directly('udp', 4, ['prflx', 'prflx'])],
    ['reflexive', ['reflexive'], directly('udp', 4, ['host', 'host'])],
    ['reflexive', ['reflexive'], directly('udp', 4, ['mapped', 'prflx'])],
    ['reflexive', ['reflexive'], directly('udp', 6, ['prflx', 'prflx'])],
    ['tcp-simultaneous-open', ['tcp-simultaneous-open'], directly('udp', 4, ['srflx', 'prflx'])],
    ['host, reflexive', ['host', 'reflexive'], directly('tcp', 4, ['host', 'prflx'])],
    ['tcp-simultaneous-open', ['tcp-simultaneous-open'], directly('tcp', 4, ['host', 'prflx'])],
  ] as const)('is impossible where the oracle knows %s', (known, techniques, run) => {
    const judgement = judge(expecting(techniques), run);
    expect(judgement).toMatchObject({ verdict: 'impossible', reason: expect.stringContaining(`knows ${known}`) });
  });

  test('is impossible where a side reaches no server', () => {
    const judgement = judge(expecting(['reflexive'], NONE), directly('udp', 4, ['srflx', 'prflx']));
    expect(judgement).toMatchObject({ verdict: 'impossible' });
  });
});

describe('a relayed path', () => {
  test.each(['host', 'ipv6', 'mapped', 'reflexive', 'hairpin', 'tcp', 'predict'] as const)(
    'falls short where %s is sure to join them',
    (technique) => {
      expect(judge(expecting([technique, 'tcp-simultaneous-open']), RELAYED)).toEqual({
        verdict: 'short',
        reason: `relayed, where ${technique} is sure to join them`,
        prospect: prospect(technique),
      });
    },
  );

  test.each(['predict', 'spray', 'tcp-simultaneous-open'] as const)(
    'needs %s, where the flow does not have it',
    (technique) => {
      expect(judge(expecting([technique]), RELAYED, [])).toEqual({
        verdict: 'needs',
        reason: `relayed; ${technique} joins them with 100 % for up to 12 packets`,
        prospect: prospect(technique),
      });
    },
  );

  test('needs the likeliest of several', () => {
    const spray: Prospect = { ...prospect('spray'), probability: 0.98354, bestProbability: 0.98354, packets: 1286 };
    const open: Prospect = { ...prospect('tcp-simultaneous-open'), probability: 0.5, bestProbability: 0.5 };
    const found = judge({ ...expecting([]), prospects: [open, spray] }, RELAYED, []);
    expect(found).toEqual({
      verdict: 'needs',
      reason: 'relayed; spray joins them with 98.35 % for up to 1286 packets',
      prospect: spray,
    });
  });

  test.each(TECHNIQUES)('had no luck where %s, which the flow has, joins them sometimes', (technique) => {
    const lucky: Prospect = { ...prospect(technique), probability: 0.5, bestProbability: 0.5 };
    const beyond = prospect(technique === 'spray' ? 'predict' : 'spray');
    expect(judge({ ...expecting([]), prospects: [lucky, beyond] }, RELAYED, [technique])).toEqual({
      verdict: 'unlucky',
      reason: `relayed; ${technique} joins them with 50 % for up to 12 packets`,
      prospect: lucky,
    });
  });

  test('may have been heard in the wrong order', () => {
    const ordered: Prospect = { ...prospect('reflexive'), probability: 0, bestOrder: 'a-first' };
    expect(judge({ ...expecting([]), prospects: [ordered] }, RELAYED)).toEqual({
      verdict: 'unlucky',
      reason: 'relayed; reflexive joins them with 0 % to 100 %, by who is heard first, for up to 12 packets',
      prospect: ordered,
    });
  });

  test('is fine where nothing joins them', () => {
    expect(judge(expecting([]), RELAYED)).toEqual({ verdict: 'relayed', reason: 'relayed, as nothing joins them' });
  });

  test('is impossible where a side reaches no server', () => {
    expect(judge(expecting([], NONE), RELAYED)).toMatchObject({ verdict: 'impossible' });
  });
});

describe('no connection', () => {
  test('is fine where a side reaches no server', () => {
    expect(judge(expecting([], NONE), FAILED)).toEqual({
      verdict: 'none',
      reason: 'failed (ERR_SERVER_UNREACHABLE), as a side reaches no server',
    });
  });

  test('falls short where both reach a relay', () => {
    expect(judge(expecting([]), FAILED)).toEqual({
      verdict: 'short',
      reason: 'failed (ERR_SERVER_UNREACHABLE), where both sides reach a relay',
    });
  });
});

function expecting(techniques: readonly Technique[], a: ServerReach = ALL): Forecast {
  return { prospects: techniques.map(prospect), best: techniques[0] ?? 'relay', reach: { a, b: ALL } };
}

function prospect(technique: Technique): Prospect {
  return { technique, probability: 1, bestProbability: 1, bestOrder: 'together', packets: 12 };
}

function directly(
  transport: 'udp' | 'tcp',
  family: 4 | 6,
  remoteTypes: NonNullable<CellRun['by']>['remoteTypes'],
): CellRun {
  return {
    outcome: 'direct',
    by: { strategy: 'checks', transport, family, remoteTypes },
    session: 80,
    echo: 160,
    direct: 120,
    packets: 200,
  };
}
