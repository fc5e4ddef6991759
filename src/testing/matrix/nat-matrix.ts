import { defaultFlow, type Flow } from '../../index.ts';
import { runScenario } from '../../scenario/index.ts';
import { usage } from '../../sim/fields.ts';
import { type Forecast, forecast } from '../../sim/index.ts';
import { cellName, type MatrixCell } from './cell.ts';
import { type CellRun, cellRun } from './cell-run.ts';
import { matrixCells } from './default-cells.ts';
import { flowTechniques, mapsPorts } from './flow-techniques.ts';
import { type Judgement, judge } from './judge.ts';

export interface NatMatrixOptions {
  /** What to run; default: {@link matrixCells}. */
  readonly cells?: readonly MatrixCell[];
  /** Of all chance in the default cells. Default 1. */
  readonly seed?: number;
  /** What both sides do. Default: the default flow. */
  readonly flow?: Flow;
  /** Is told of each cell when it has run. */
  readonly onCell?: (result: CellResult) => void;
}

export interface NatMatrix {
  /** In the order of the cells. */
  readonly cells: readonly CellResult[];
  /** Those with a `failure`: a bug of the flow, of the simulator or of the oracle. None is what one wants. */
  readonly failures: readonly CellResult[];
}

export interface CellResult {
  readonly cell: MatrixCell;
  /** What the oracle says, of the dialer as `a` and the listener as `b`. */
  readonly forecast: Forecast;
  readonly run: CellRun;
  readonly judgement: Judgement;
  /** Why this must not be, with the cell's name; absent: it is as it should be, or falls short for a stated reason. */
  readonly failure?: string;
}

/**
 * Runs a flow in every cell on the simulated internet, one after the other in virtual time, and compares each with the
 * oracle in both directions. The same cells give the same matrix. Errors: `ERR_USAGE` for a scenario that makes no sense.
 */
export async function natMatrix({
  seed = 1,
  cells = matrixCells(seed),
  flow = defaultFlow,
  onCell,
}: NatMatrixOptions = {}): Promise<NatMatrix> {
  const results: CellResult[] = [];
  for (const cell of cells) {
    const result = await runCell(cell, flow);
    onCell?.(result);
    results.push(result);
  }
  return { cells: results, failures: results.filter(({ failure }) => failure !== undefined) };
}

/** Runs one cell. Errors: `ERR_USAGE`. */
async function runCell(cell: MatrixCell, flow: Flow): Promise<CellResult> {
  const { internet, dials } = cell.scenario;
  const peers = cell.scenario.peers.map((peer) => ({ ...peer, flow: FLOW }));
  const [dial, ...others] = dials;
  if (dial === undefined || others.length > 0) throw usage(cellName(cell), 'has a scenario with one dial');
  const outcome = await runScenario({ ...cell.scenario, peers }, { flows: { [FLOW]: flow } });
  const hostOf = (name: string): string => peers.find((peer) => peer.name === name)!.host;
  const expected = forecast(internet, hostOf(dial.from), hostOf(dial.to), { mapping: mapsPorts(flow) });
  const run = cellRun(outcome.dials[0]!);
  const judgement = judge(expected, run, flowTechniques(flow));
  return { cell, forecast: expected, run, judgement, failure: failureOf(cell, judgement) };
}

function failureOf(cell: MatrixCell, { verdict, reason }: Judgement): string | undefined {
  const name = cellName(cell);
  if (verdict === 'impossible') return `${name}: ${reason}`;
  if (verdict === 'short') return cell.shortfall === undefined ? `${name}: ${reason}` : undefined;
  return cell.shortfall === undefined
    ? undefined
    : `${name}: ${reason}, although it is stated to fall short (${cell.shortfall})`;
}

/** Its name in the scenarios. */
const FLOW = 'of the matrix';
