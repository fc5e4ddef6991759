import type { ChartHits } from './chart-hits.ts';
import type { ChartOutline } from './chart-outline.ts';
import { type ChartCoverageJson, type CoverageJson, missingOf } from './coverage-json.ts';
import { coverageSvg } from './coverage-svg.ts';
import { coverageText } from './coverage-text.ts';

/** What was hit and what was not. */
export interface CoverageReport {
  readonly charts: readonly ChartCoverageJson[];
  /** What was never hit, a sentence each: `connection: never in connection.recovering.abandoned`. */
  readonly missing: readonly string[];
  /** A table of the charts, and what is missing. */
  text(): string;
  /** For files, and for `Coverage.merge`. */
  json(): CoverageJson;
  /** A picture of each chart: nested boxes, green what was hit, red what was not, amber where a guard never failed; with a legend. */
  svg(): string;
}

export function coverageReport(
  charts: readonly { readonly outline: ChartOutline; readonly hits: ChartHits }[],
): CoverageReport {
  const covered = charts.map(({ outline, hits }) => chartCoverage(outline, hits));
  return {
    charts: covered,
    missing: covered.flatMap(missingOf),
    text: () => coverageText(covered),
    json: () => ({ charts: covered }),
    svg: () => coverageSvg(covered),
  };
}

function chartCoverage({ id, states, transitions }: ChartOutline, hits: ChartHits): ChartCoverageJson {
  return {
    id,
    states: states.map((state) => ({ ...state, hits: hits.states.get(state.id) ?? 0 })),
    transitions: transitions.map(({ guard: name, ...transition }) => ({
      ...transition,
      hits: hits.transitions.get(transition.key) ?? 0,
      ...(name !== undefined && { guard: { name, ...(hits.guards.get(transition.key) ?? { yes: 0, no: 0 }) } }),
    })),
  };
}
