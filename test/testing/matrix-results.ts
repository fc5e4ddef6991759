import type { Scenario } from '../../src/scenario/index.ts';
import type { Prospect, Technique } from '../../src/sim/index.ts';
import type { CellRun } from '../../src/testing/matrix/cell-run.ts';
import { type Judgement, judge } from '../../src/testing/matrix/judge.ts';
import type { CellResult, NatMatrix } from '../../src/testing/matrix/nat-matrix.ts';

/** Nobody looks into it where outcomes are given by hand. */
const SCENARIO: Scenario = { internet: { seed: 1 }, peers: [], dials: [] };

interface Given {
  readonly run: CellRun;
  readonly techniques?: readonly Technique[];
  readonly shortfall?: string;
}

/** A matrix of cells whose outcomes are given, at `[table, row, column]`. */
export function givenMatrix(given: readonly (readonly [readonly [string, string, string], Given])[]): NatMatrix {
  const cells = given.map(([[table, row, column], { run, techniques = [], shortfall }]): CellResult => {
    const reach = { udp: true, tcp: true };
    const forecast = { prospects: techniques.map(prospect), best: 'relay' as const, reach: { a: reach, b: reach } };
    const judgement: Judgement = judge(forecast, run, ['host', 'mapped', 'reflexive', 'tcp']);
    const isFailure = judgement.verdict === 'impossible' || (judgement.verdict === 'short' && shortfall === undefined);
    const failure = isFailure ? `${table}: ${row} x ${column}: ${judgement.reason}` : undefined;
    return { cell: { table, row, column, scenario: SCENARIO, shortfall }, forecast, run, judgement, failure };
  });
  return { cells, failures: cells.filter(({ failure }) => failure !== undefined) };
}

export const RELAYED: CellRun = { outcome: 'relayed', session: 80, echo: 160, packets: 300 };
export const FAILED: CellRun = { outcome: 'failed', packets: 10, code: 'ERR_TIMEOUT' };

export function direct(remoteTypes: NonNullable<CellRun['by']>['remoteTypes'], at: number): CellRun {
  const by = { strategy: 'checks', transport: 'udp', family: 4, remoteTypes } as const;
  return { outcome: 'direct', by, session: 80.25, echo: 160.25, direct: at, packets: 200 };
}

function prospect(technique: Technique): Prospect {
  const probability = technique === 'spray' ? 0.9835 : 1;
  return { technique, probability, bestProbability: probability, bestOrder: 'together', packets: 1286 };
}
