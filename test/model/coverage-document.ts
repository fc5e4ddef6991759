import { type Share, sharesOf } from '../../src/testing/coverage/coverage-json.ts';
import { coverageSvg } from '../../src/testing/coverage/coverage-svg.ts';
import type { ChartCoverageJson, CoverageReport } from '../../src/testing/index.ts';
import { UNREACHED } from './unreached.ts';

export interface Campaign {
  readonly expeditions: number;
  readonly paths: number;
}

/** What docs/model-coverage.md says, and the pictures beside it, by file name. */
export function coverageDocument(report: CoverageReport, campaign: Campaign): ReadonlyMap<string, string> {
  const pictures = report.charts.map((chart): [string, string] => [pictureOf(chart), coverageSvg([chart])]);
  return new Map([['model-coverage.md', page(report, campaign)], ...pictures]);
}

function page({ charts, missing }: CoverageReport, { expeditions, paths }: Campaign): string {
  const sections = charts.map((chart) => {
    const known = missing.filter((part) => part.startsWith(`${chart.id}: `));
    const table = known.length === 0 ? '' : `\n${UNREACHED_HEAD}\n${known.map(unreachedRow).join('\n')}\n`;
    return `## ${chart.id}\n\n${ABOUT[chart.id] ?? ''}\n${table}\n![The chart of ${chart.id}, with how often each part was reached](${pictureOf(chart)})\n`;
  });
  return [
    INTRODUCTION,
    `Here ${paths.toLocaleString('en')} paths in ${expeditions} models and places were made to happen.\n`,
    `${HEAD}\n${charts.map(row).join('\n')}\n`,
    ...sections,
  ].join('\n');
}

function row(chart: ChartCoverageJson): string {
  const { states, transitions, guards } = sharesOf(chart);
  return `| [${chart.id}](#${chart.id}) | ${[states, transitions, guards].map(shareWords).join(' | ')} |`;
}

function shareWords({ hit, all }: Share): string {
  return hit === all ? `all ${all}` : `${hit} of ${all}`;
}

function unreachedRow(part: string): string {
  const what = part.replace(/^\w+: its guard never failed: /, '');
  return `| \`${what}\` | ${UNREACHED[part] ?? '**not known**'} |`;
}

function pictureOf({ id }: ChartCoverageJson): string {
  return `model-coverage/${id}.svg`;
}

const HEAD = '| chart | states | transitions | answers of guards |\n|---|--:|--:|--:|';
const UNREACHED_HEAD = '| its guard always holds | why |\n|---|---|';

const ABOUT: Readonly<Record<string, string>> = {
  connection: 'The lifecycle of a connection: [connection.ts](../src/machines/connection.ts) and its regions.',
  peer: 'What belongs to the peer and not to its connections: [peer.ts](../src/machines/peer.ts).',
  discover: '`defaultFlow.discover`: how the peer finds its addresses, once a look.',
  punch: '`defaultFlow.punch`: how a connection comes to a direct path, one round of it.',
  fallback: '`defaultFlow.fallback`: how it comes to a relayed one.',
  lease: 'A port mapping that is kept: [lease.ts](../src/machines/lease.ts).',
  map: '`defaultFlow.map`: how it is obtained.',
};

const INTRODUCTION = `# Model coverage

Is there a part of the shipped charts that no test reaches? Paths that are generated from [the model](testing-with-the-model.md) happen to real
pairs on the simulated internet: the default flow under every policy, between NATs of all kinds, with gateways, TURN and scores, with each
actor and each strategy broken once. Every run is compared with the model and held to all invariants, and XState's own inspection tells which
states were entered, which transitions were taken, and how guards answered.

\`npm run model\` makes this page and its pictures anew, the same ones for the same code, in some minutes; it fails where a path goes wrong, or
where something is not reached and not explained here. What happens is listed in [campaign.ts](../test/model/campaign.ts). A test holds this
page to the charts as they are.
`;
