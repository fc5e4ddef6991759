/**
 * Digests of whole traces, for comparison with other processes, machines and versions of Node. Run:
 * `npx tsx test/scenario/golden-traces.ts > test/vectors/simulation/traces.json`.
 */
import { pathToFileURL } from 'node:url';
import { homes, type Scenario } from '../../src/scenario/index.ts';
import { drawn } from './drawn.ts';
import { digestOf, wholeTrace } from './whole-trace.ts';

export interface GoldenTrace {
  readonly name: string;
  /** Lines of the trace, and the SHA-256 of them. */
  readonly lines: number;
  readonly digest: string;
  /** What came of each dial, in ms since it: for people who look for what has changed. */
  readonly dials: readonly { readonly outcome: string; readonly ready?: number; readonly direct?: number }[];
}

/** Presets that have little in common, and a few seeds. */
export const GOLDEN: readonly { readonly name: string; readonly scenario: Scenario }[] = [
  { name: 'home-router and linux', scenario: homes({ a: 'home-router', b: 'linux' }) },
  { name: 'carrier and mobile-network', scenario: homes({ a: 'carrier', b: 'mobile-network' }) },
  { name: 'corporate-firewall and hotel-wifi', scenario: homes({ a: 'corporate-firewall', b: 'hotel-wifi' }) },
  ...[1, 2, 3, 4, 5].map((seed) => ({ name: `drawn from ${seed}`, scenario: drawn(seed) })),
];

export async function goldenTraces(): Promise<readonly GoldenTrace[]> {
  const traces: GoldenTrace[] = [];
  for (const { name, scenario } of GOLDEN) {
    const trace = await wholeTrace(scenario);
    const dials = trace.outcome.dials.map(({ outcome, ready, direct }) => ({ outcome, ready, direct }));
    traces.push({ name, lines: trace.lines.length, digest: digestOf(trace), dials });
  }
  return traces;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(JSON.stringify(await goldenTraces(), null, 2));
}
