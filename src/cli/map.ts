import type { Command } from 'commander';
import { distinctUntilChanged, map, type Observable, skip, timer } from 'rxjs';
import { type NotedMapping, readLeaseJournal } from '../adapters/node/lease-journal.ts';
import type { Clock } from '../core/clock.ts';
import { asTraversalError, TraversalError } from '../core/errors.ts';
import type { Network } from '../core/network.ts';
import type { PortLeases } from '../core/port-lease.ts';
import type { MappingRequest } from '../core/port-mapper.ts';
import { nodeNetwork, nodePortLeases, systemClock } from '../node.ts';
import { type CommandContext, runCommand, whenAborted } from './command.ts';
import { parseDuration } from './duration.ts';
import type { ExitCode } from './exit-code.ts';
import { addMapList } from './map-list.ts';
import {
  type MapCommandOptions,
  mappingVia,
  parseMappedPort,
  portMapper,
  protocolOption,
  viaOption,
} from './map-options.ts';
import { addMapRemove } from './map-remove.ts';
import { reportLease } from './map-report.ts';

interface MapOptions extends MapCommandOptions {
  readonly lifetime: string;
  readonly description?: string;
  readonly failIfTaken?: boolean;
}

/** `openLeases` stands in for the gateways of this host in tests. */
export function addMap(program: Command, openLeases: typeof nodePortLeases = nodePortLeases): void {
  const command = program
    // Or the options of a subcommand would be taken for those of `map`, here and below.
    .enablePositionalOptions()
    .command('map')
    .description('map a port at the gateway to a port of this machine, until Ctrl-C')
    .argument('<internal-port>', 'port of this machine', parseMappedPort)
    .argument('[external-port]', 'port of the gateway that is wished for (default: the same)', parseMappedPort)
    .addOption(protocolOption())
    .option('--lifetime <duration>', 'how long the mapping outlives a process that was killed: 3600, 30m, 24h', '3600')
    .addOption(viaOption('ask by this protocol only (default: PCP, NAT-PMP and UPnP)'))
    .option('--description <text>', 'what the gateway’s table shows, where the protocol carries text')
    .option('--fail-if-taken', 'fail when the external port is taken, rather than take another one')
    .option('--json', 'tell what happens as JSON, one object a line')
    .option('--verbose', 'tell everything on stderr')
    .enablePositionalOptions()
    .hook('preSubcommand', refuseOptionsBefore)
    .action((internalPort: number, externalPort: number | undefined, options: MapOptions) =>
      runCommand(options, (context) => {
        const { via } = options;
        const request = requestOf(internalPort, externalPort, options);
        const leases = openLeases({
          log: context.reporter.log,
          within: PATIENCE,
          ...(via !== undefined && { mappers: [portMapper(mappingVia(via))] }),
        });
        return keepMapping(leases, request, context, {
          clock: systemClock(),
          changes$: addressChanges(nodeNetwork()),
          noted: readLeaseJournal,
        });
      }),
    );
  addMapList(command);
  addMapRemove(command);
}

/** ms for the first mapping: who asks for nothing else waits longer than a peer does, whose connections go on without. */
const PATIENCE = 10_000;

/** What keeping a mapping takes from the world. */
export interface MapWorld {
  readonly clock: Pick<Clock, 'now'>;
  /** This host's addresses have changed. */
  readonly changes$: Observable<unknown>;
  /** Mappings that are noted as standing. */
  readonly noted: () => Promise<readonly NotedMapping[]>;
}

/**
 * Keeps a mapping until the signal, then removes it: 1 when the gateway has not confirmed that. Once there was a mapping it goes on
 * also while it is lost. Errors: those of `PortLease.ready`, in short. The leases are closed in any case.
 */
export async function keepMapping(
  leases: PortLeases,
  request: MappingRequest,
  { reporter, signal }: CommandContext,
  { clock, changes$, noted }: MapWorld,
): Promise<ExitCode> {
  const report = reportLease(request, reporter, clock);
  const watching = changes$.subscribe(() => leases.networkChanged());
  try {
    const lease = leases.keep(request);
    watching.add(lease.state$.subscribe(report.state));
    const interrupted = whenAborted(signal);
    await Promise.race([interrupted, lease.ready.catch((error) => refuse(request, error))]);
    await interrupted;
  } finally {
    await leases.close();
    watching.unsubscribe();
  }
  return report.end(await noted()) ? 0 : 1;
}

/** What each protocol said has been told by then, a line each. */
function refuse({ protocol, internalPort }: MappingRequest, cause: unknown): never {
  const { code } = asTraversalError(cause, 'ERR_NETWORK');
  throw new TraversalError(code, `no mapping of ${protocol} port ${internalPort} is to be had`, { cause });
}

/** Emits when the addresses of this host have changed, at most 5 s after they have: Node cannot be told of it. */
export function addressChanges(network: Pick<Network, 'interfaces'>): Observable<string> {
  return timer(0, 5_000).pipe(
    map(() => JSON.stringify(network.interfaces())),
    distinctUntilChanged(),
    skip(1),
  );
}

function requestOf(internalPort: number, externalPort: number | undefined, options: MapOptions): MappingRequest {
  const { protocol, description, failIfTaken = false } = options;
  return {
    protocol,
    internalPort,
    lifetime: parseDuration(options.lifetime) / 1000,
    onConflict: failIfTaken ? 'fail' : 'another-port',
    ...(externalPort !== undefined && { externalPort }),
    ...(description !== undefined && { description }),
  };
}

/** They would count for nothing. */
function refuseOptionsBefore(command: Command, subcommand: Command): void {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (given.length > 0) command.error(`error: options of ${subcommand.name()} stand after its name`);
}
