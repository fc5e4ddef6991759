import type { Command } from 'commander';
import { fileLeaseJournal, type NotedMapping, readLeaseJournal } from '../adapters/node/lease-journal.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import { asTraversalError, TraversalError } from '../core/errors.ts';
import type { LeaseJournal } from '../core/lease-journal.ts';
import type { Network } from '../core/network.ts';
import type { ListedMapping, Mapping, MappingProtocol, MappingVia, PortMapper } from '../core/port-mapper.ts';
import { nodeNetwork } from '../node.ts';
import { type CommandContext, runCommand } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import {
  type MapCommandOptions,
  mappingVia,
  openPortMapper,
  parseMappedPort,
  protocolOption,
  viaOption,
} from './map-options.ts';
import { type MappingOwner, mappingOwners } from './map-owner.ts';

export function addMapRemove(map: Command): void {
  map
    .command('remove')
    .description('remove a mapping that this program made and left behind')
    .argument('<external-port>', 'port of the gateway', parseMappedPort)
    .addOption(protocolOption())
    .addOption(viaOption('the protocol that it was made by (default: as noted, else upnp)'))
    .option('--json', 'as JSON, one object a line')
    .option('--verbose', 'tell everything on stderr')
    .action((externalPort: number, options: MapCommandOptions) =>
      runCommand(options, async (context) => {
        const world = {
          network: nodeNetwork(),
          journal: fileLeaseJournal(),
          noted: await readLeaseJournal(),
          mapper: (via: MappingVia) => openPortMapper(via, context.reporter.log),
        };
        const via = options.via === undefined ? undefined : mappingVia(options.via);
        return removeMapping({ protocol: options.protocol, externalPort, via }, world, context);
      }),
    );
}

export interface MappingToRemove {
  readonly protocol: MappingProtocol;
  readonly externalPort: number;
  /** The protocol that it was made by, where that matters. */
  readonly via: MappingVia | undefined;
}

export interface MapRemoveWorld {
  readonly network: Pick<Network, 'interfaces'>;
  readonly journal: LeaseJournal;
  readonly noted: readonly NotedMapping[];
  /** Opens a port mapper, which is closed. */
  readonly mapper: (via: MappingVia) => PortMapper;
}

/**
 * Removes what ended runs of this program have noted of the port, or, when nothing is noted, what the gateway's table shows to be
 * ours. Errors: `ERR_MAPPING_REFUSED` for what is not ours or still kept, and those of `PortMapper`.
 */
export async function removeMapping(
  which: MappingToRemove,
  world: MapRemoveWorld,
  context: CommandContext,
): Promise<ExitCode> {
  const { reporter, signal } = context;
  const noted = world.noted.filter(({ mapping }) => isMeant(mapping, which));
  if (world.noted.some(({ mapping, running }) => running && isMeant(mapping, { ...which, via: undefined }))) {
    throw refusal(which, 'is kept by a program that still runs: end that, and it removes its mapping');
  }
  const removed = noted.length > 0 ? removeNoted(which, world, context) : removeListed(which, world, signal);
  for (const { via, protocol, external } of await removed) {
    reporter.event('released', { via, protocol, external: formatEndpoint(external) });
    if (!reporter.json) reporter.print(`released ${protocol} ${formatEndpoint(external)}`);
  }
  return 0;
}

/**
 * Leftovers are handed out all together: they are noted again, until the gateway has removed them or says that they are not ours any
 * more. Rejects when none was removed.
 */
async function removeNoted(
  which: MappingToRemove,
  { journal, mapper }: MapRemoveWorld,
  { reporter, signal }: CommandContext,
): Promise<readonly Mapping[]> {
  const leftovers = [...(await journal.takeLeftovers()).entries()];
  for (const [i, leftover] of leftovers) await journal.note(String(i), leftover);
  const removed: Mapping[] = [];
  const failures: TraversalError[] = [];
  for (const [i, leftover] of leftovers.filter(([, mapping]) => isMeant(mapping, which))) {
    try {
      await withMapper(mapper(leftover.via), (opened) => opened.release(leftover, { signal }));
      removed.push(leftover);
    } catch (error) {
      const failure = asTraversalError(error, 'ERR_NETWORK');
      reporter.log('map.not-removed', { via: leftover.via, code: failure.code, message: failure.message });
      failures.push(failure);
      if (failure.code !== 'ERR_MAPPING_REFUSED') continue;
    }
    await journal.strike(String(i));
  }
  if (removed.length === 0 && failures[0] !== undefined) throw failures[0];
  return removed;
}

/** Takes the mapping over, as a new run for the same port would, and ends it. */
function removeListed(
  which: MappingToRemove,
  { network, noted, mapper }: MapRemoveWorld,
  signal: AbortSignal,
): Promise<readonly Mapping[]> {
  return withMapper(mapper(which.via ?? 'upnp-igd'), async (opened) => {
    const { internal, description } = await findOurs(which, opened, mappingOwners(network, noted), signal);
    const mapping = await opened.map(
      {
        protocol: which.protocol,
        externalPort: which.externalPort,
        internalPort: internal.port,
        internalAddress: internal.address,
        description,
        onConflict: 'fail',
      },
      { signal },
    );
    await opened.release(mapping, { signal });
    return [mapping];
  });
}

async function findOurs(
  which: MappingToRemove,
  mapper: PortMapper,
  ownerOf: (entry: ListedMapping) => MappingOwner,
  signal: AbortSignal,
): Promise<ListedMapping> {
  if (mapper.list === undefined) {
    throw refusal(which, `is not noted as ours, and ${mapper.name} does not tell whose a mapping is`);
  }
  const table = await mapper.list({ signal });
  const entry = table.find((one) => one.protocol === which.protocol && one.externalPort === which.externalPort);
  if (entry === undefined) throw refusal(which, 'is not in the gateway’s table, and not noted as ours');
  const owner = ownerOf(entry);
  if (owner !== 'sallyport') throw refusal(which, describe(entry, owner));
  return entry;
}

async function withMapper<T>(mapper: PortMapper, work: (mapper: PortMapper) => Promise<T>): Promise<T> {
  try {
    return await work(mapper);
  } finally {
    await mapper.close();
  }
}

function isMeant({ via, protocol, external }: Mapping, which: MappingToRemove): boolean {
  return (
    protocol === which.protocol &&
    external.port === which.externalPort &&
    (which.via === undefined || via === which.via)
  );
}

function refusal({ protocol, externalPort }: MappingToRemove, why: string): TraversalError {
  return new TraversalError('ERR_MAPPING_REFUSED', `external ${protocol} port ${externalPort} ${why}`);
}

function describe({ internal, description }: ListedMapping, owner: Exclude<MappingOwner, 'sallyport'>): string {
  const whose = owner === 'this-host' ? 'another program of this host' : 'another host';
  return `belongs to ${whose}: it leads to ${formatEndpoint(internal)} and is called "${description}"`;
}
