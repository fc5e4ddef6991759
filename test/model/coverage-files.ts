import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CoverageJson, type CoverageReport, chartsOf, coverage } from '../../src/testing/index.ts';
import { type Campaign, coverageDocument } from './coverage-document.ts';
import { flows } from './expedition.ts';

/** What the last whole run has found. */
export interface CoverageResults extends Campaign, CoverageJson {}

export const DOCS = resolve(import.meta.dirname, '../../docs');
const RESULTS = resolve(import.meta.dirname, 'coverage.jsonl');

export function readResults(): CoverageResults {
  const [campaign, ...charts] = readFileSync(RESULTS, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { ...campaign, charts };
}

/** A line for the campaign, and one for each chart. */
export function writeResults({ expeditions, paths, charts }: CoverageResults): void {
  const lines = [{ expeditions, paths }, ...charts].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(RESULTS, lines.join(''));
}

/** The results as a report on the charts as they are now. Errors: `ERR_USAGE` where those have other states or transitions. */
export function reportOf({ charts }: CoverageResults): CoverageReport {
  const collector = coverage(chartsOf(flows.default));
  collector.merge({ charts });
  return collector.report();
}

export function writeDocuments(results: CoverageResults): void {
  mkdirSync(resolve(DOCS, 'model-coverage'), { recursive: true });
  for (const [name, text] of coverageDocument(reportOf(results), results)) writeFileSync(resolve(DOCS, name), text);
}
