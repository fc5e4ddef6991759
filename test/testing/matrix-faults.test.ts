import { describe, expect, test } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import { homes, runScenario, type Scenario } from '../../src/scenario/index.ts';
import { forecast } from '../../src/sim/index.ts';
import { cellRun } from '../../src/testing/matrix/cell-run.ts';
import { flowTechniques, type MatrixCell, type NatKind, natMatrix, natOfKind } from '../../src/testing/matrix/index.ts';
import { judge } from '../../src/testing/matrix/judge.ts';

const PLAIN = pair('EI/EI', 'EI/APD');
const HOPELESS = pair('APD/APD', 'APD/APD');

describe('what runs is not what the oracle was told', () => {
  test('a NAT that filters less: direct where nothing leads is impossible', async () => {
    const judgement = await judgeAsTold(pair('APD/EI', 'EI/EI'), HOPELESS);
    expect(judgement).toEqual({
      verdict: 'impossible',
      reason: 'direct (checks, udp over IPv4 to srflx and prflx), where the oracle knows nothing',
    });
  });

  test('a NAT that filters less, where the oracle knows of a spray only', async () => {
    const judgement = await judgeAsTold(pair('EI/AD', 'APD/APD'), pair('EI/APD', 'APD/APD'));
    expect(judgement).toMatchObject({ verdict: 'impossible', reason: expect.stringContaining('knows spray') });
  });

  test('a NAT that filters less, where the oracle knows what the flow does not', async () => {
    const inSequence = (kind: NatKind) => natOfKind(kind, { portAllocation: { sequential: 1 } });
    const real = homes({ a: inSequence('EI/AD'), b: inSequence('APD/APD') });
    const told = homes({ a: inSequence('EI/APD'), b: inSequence('APD/APD') });
    expect(await judgeAsTold(real, told)).toEqual({
      verdict: 'impossible',
      reason: 'direct (checks, udp over IPv4 to prflx and srflx), where the oracle knows predict, spray',
    });
  });

  test('a NAT that filters more: relayed where it could be direct is short', async () => {
    const judgement = await judgeAsTold(HOPELESS, pair('EI/AD', 'APD/APD'));
    expect(judgement).toMatchObject({ verdict: 'short', reason: 'relayed, where reflexive is sure to join them' });
  });

  test('a gateway that is not there', async () => {
    const gateway = { pcp: true };
    const told = homes({ a: [{ nat: natOfKind('APD/APD'), gateway }], b: natOfKind('APD/APD') });
    expect(await judgeAsTold(HOPELESS, told)).toMatchObject({ verdict: 'short', prospect: { technique: 'mapped' } });
  });

  test('a server that is gone', async () => {
    const { internet } = PLAIN;
    const events = [{ at: 1_900, type: 'link', state: 'down', network: 'internet', host: 'server' }] as const;
    const { cells } = await natMatrix({ cells: [cellOf({ ...PLAIN, internet: { ...internet, events } })] });
    expect(cells[0]).toMatchObject({ run: { outcome: 'failed' }, judgement: { verdict: 'short' } });
    expect(cells[0]!.failure).toMatch(/^planted: a x b: failed \(ERR_\w+\), where both sides reach a relay$/);
  });

  async function judgeAsTold(real: Scenario, told: Scenario): Promise<ReturnType<typeof judge>> {
    const { dials } = await runScenario(real);
    return judge(forecast(told.internet, 'a', 'b'), cellRun(dials[0]!), flowTechniques(defaultFlow));
  }
});

describe('a peer that is told to stay on the relay', () => {
  const scenario: Scenario = { ...PLAIN, peers: PLAIN.peers.map((peer) => ({ ...peer, policy: 'relay-only' })) };
  const reason = 'relayed, where reflexive is sure to join them';

  test('falls short', async () => {
    const { cells, failures } = await natMatrix({ cells: [cellOf(PLAIN), cellOf(scenario)] });
    expect(cells.map(({ judgement }) => judgement.verdict)).toEqual(['direct', 'short']);
    expect(failures).toEqual([cells[1]]);
    expect(cells[1]).toMatchObject({ judgement: { reason }, failure: `planted: a x b: ${reason}` });
  });

  test('is no failure where it is stated', async () => {
    const { cells, failures } = await natMatrix({ cells: [{ ...cellOf(scenario), shortfall: 'it is told to' }] });
    expect(cells[0]).toMatchObject({ judgement: { verdict: 'short', reason } });
    expect(failures).toEqual([]);
  });

  test('a statement that has grown old is a failure', async () => {
    const { failures } = await natMatrix({ cells: [{ ...cellOf(PLAIN), shortfall: 'it is told to' }] });
    expect(failures.map(({ failure }) => failure)).toEqual([
      'planted: a x b: direct (reflexive), although it is stated to fall short (it is told to)',
    ]);
  });
});

describe('natMatrix', () => {
  test('tells of each cell when it has run, and gives them in their order', async () => {
    const told: string[] = [];
    const cells = ['first', 'second'].map((row) => ({ ...cellOf(PLAIN), row }));
    const matrix = await natMatrix({ cells, onCell: ({ cell }) => told.push(cell.row) });
    expect(told).toEqual(['first', 'second']);
    expect(matrix.cells.map(({ cell }) => cell)).toEqual(cells);
  });

  test('records how a run went', async () => {
    const { cells } = await natMatrix({ cells: [cellOf(PLAIN)] });
    const [{ run, forecast: expected }] = cells as [(typeof cells)[number]];
    expect(run).toMatchObject({
      outcome: 'direct',
      by: { transport: 'udp', family: 4, remoteTypes: ['srflx', 'srflx'] },
      session: 80,
      echo: 160,
    });
    expect(run.direct).toBeGreaterThan(80);
    expect(run.packets).toBeGreaterThan(20);
    expect(run.packets).toBeLessThan(100);
    expect(expected.best).toBe('reflexive');
  });

  test('gives the same for the same seed, and no other verdict for another', async () => {
    const run = async (seed: number) =>
      (await natMatrix({ cells: [cellOf(pair('APD/APD', 'EI/APD', seed))] })).cells[0]!;
    const [first, again] = [await run(5), await run(5)];
    expect(again).toEqual(first);
    expect((await run(6)).judgement).toEqual(first.judgement);
  });

  test.each([
    ['no dial', { ...PLAIN, dials: [] }],
    ['two dials', { ...PLAIN, dials: [...PLAIN.dials, ...PLAIN.dials] }],
    ['a dial of nobody', { ...PLAIN, dials: [{ at: 0, from: 'a', to: 'nobody' }] }],
  ])('refuses a scenario with %s', async (_, scenario) => {
    await expect(natMatrix({ cells: [cellOf(scenario)] })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

function pair(a: NatKind, b: NatKind, seed = 1): Scenario {
  return homes({ a: natOfKind(a), b: natOfKind(b), seed });
}

function cellOf(scenario: Scenario): MatrixCell {
  return { table: 'planted', row: 'a', column: 'b', scenario };
}
