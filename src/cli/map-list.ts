import type { Command } from 'commander';
import { type NotedMapping, readLeaseJournal } from '../adapters/node/lease-journal.ts';
import type { Clock } from '../core/clock.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { Network } from '../core/network.ts';
import type { ListedMapping, Mapping, PortMapper } from '../core/port-mapper.ts';
import { nodeNetwork, systemClock } from '../node.ts';
import { type CommandContext, runCommand } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { type MapCommandOptions, mappingVia, openPortMapper, viaOption } from './map-options.ts';
import { type MappingOwner, mappingOwners } from './map-owner.ts';
import { plainMapping, routeOf } from './map-report.ts';
import type { Reporter } from './reporter.ts';

type MapListOptions = Omit<MapCommandOptions, 'protocol'>;

export function addMapList(map: Command): void {
  map
    .command('list')
    .description('what is mapped at the gateway, and what runs of this program have noted')
    .addOption(viaOption('the protocol to ask by; only the UPnP ones can tell (default: upnp)'))
    .option('--json', 'as JSON, one object a line')
    .option('--verbose', 'tell everything on stderr')
    .action((options: MapListOptions) =>
      runCommand(options, async (context) => {
        const via = options.via === undefined ? undefined : mappingVia(options.via);
        const noted = await readLeaseJournal();
        const mapper = openPortMapper(via ?? 'upnp-igd', context.reporter.log);
        return listMappings({ mapper, noted, network: nodeNetwork(), clock: systemClock() }, context);
      }),
    );
}

export interface MapListWorld {
  /** Is closed. */
  readonly mapper: PortMapper;
  readonly noted: readonly NotedMapping[];
  readonly network: Pick<Network, 'interfaces'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Tells what is noted first, since the gateway may not answer. Errors: those of `PortMapper.list`. */
export async function listMappings(
  { mapper, noted, network, clock }: MapListWorld,
  { reporter, signal }: CommandContext,
): Promise<ExitCode> {
  try {
    for (const one of noted) reportNoted(one, secondsLeft(one.mapping, clock), reporter);
    if (mapper.list === undefined) {
      reporter.calm(`${mapper.name} has no list of mappings: those that were noted are all that can be told`);
      return 0;
    }
    const ownerOf = mappingOwners(network, noted);
    for (const entry of await mapper.list({ signal })) reportListed(entry, ownerOf(entry), reporter);
    return 0;
  } finally {
    await mapper.close();
  }
}

/** `running`: a process that still runs keeps it; else it was left behind, and the next start of this program ends it. */
function reportNoted({ mapping, running }: NotedMapping, left: number, reporter: Reporter): void {
  reporter.event('noted', { ...plainMapping(mapping), left, running });
  if (!reporter.json) reporter.print(`noted ${routeOf(mapping)} left ${left} running ${running ? 'yes' : 'no'}`);
}

function reportListed(entry: ListedMapping, owner: MappingOwner, reporter: Reporter): void {
  const { protocol, externalPort, internal, lifetime: left, description, enabled } = entry;
  const to = formatEndpoint(internal);
  reporter.event('listed', { protocol, externalPort, internal: to, left, owner, enabled, description });
  if (reporter.json) return;
  reporter.print(`listed ${protocol} ${externalPort} to ${to} left ${left} owner ${owner} description ${description}`);
}

/** Seconds; 0 is without end, as in {@link ListedMapping}. */
function secondsLeft({ goodUntil }: Mapping, clock: Pick<Clock, 'now'>): number {
  return Number.isFinite(goodUntil) ? Math.max(1, Math.round((goodUntil - clock.now()) / 1000)) : 0;
}
