export { type Coverage, chartsOf, coverage } from './coverage.ts';
export type { ChartCoverageJson, CoverageJson, CoveredTransition, Share } from './coverage-json.ts';
export type { CoverageReport } from './coverage-report.ts';
