import { InvalidArgumentError, Option } from 'commander';
import { natUpnpLater, upnpIgdLater } from '../adapters/port-mapper/deferred.ts';
import { natPmp } from '../adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../adapters/port-mapper/pcp.ts';
import { TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { BuiltInVia, MappingProtocol, MappingVia, PortMapper, PortMapperFactory } from '../core/port-mapper.ts';
import { cryptoRandom, nodeNetwork, systemClock } from '../node.ts';

/** What `--via` takes. */
export type ViaOption = 'upnp' | 'nat-pmp' | 'pcp' | 'nat-upnp';

/** Options that `map` and its subcommands share. */
export interface MapCommandOptions {
  readonly protocol: MappingProtocol;
  readonly via?: ViaOption;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** By which protocol that is. */
export function mappingVia(option: ViaOption): BuiltInVia {
  return option === 'upnp' ? 'upnp-igd' : option;
}

/** The port mapper of that name. Errors: `ERR_NOT_AVAILABLE` for one that another program has brought along. */
export function portMapper(via: MappingVia): PortMapperFactory {
  if (Object.hasOwn(PORT_MAPPERS, via)) return PORT_MAPPERS[via as BuiltInVia];
  throw new TraversalError(
    'ERR_NOT_AVAILABLE',
    `there is no port mapper ${via} here: the program that has it removes its mappings`,
  );
}

/** The same over the network of this host, to be closed. Errors: those of {@link portMapper}. */
export function openPortMapper(via: MappingVia, log: Log): PortMapper {
  return portMapper(via)({ network: nodeNetwork(), clock: systemClock(), random: cryptoRandom(), log });
}

const PORT_MAPPERS: Readonly<Record<BuiltInVia, PortMapperFactory>> = {
  pcp: pcp(),
  'nat-pmp': natPmp(),
  'upnp-igd': upnpIgdLater,
  'nat-upnp': natUpnpLater,
};

export function viaOption(description: string): Option {
  const choices: readonly ViaOption[] = ['upnp', 'nat-pmp', 'pcp', 'nat-upnp'];
  return new Option('--via <protocol>', description).choices(choices);
}

export function protocolOption(): Option {
  const choices: readonly MappingProtocol[] = ['udp', 'tcp'];
  return new Option('--protocol <protocol>', 'which ports are meant').choices(choices).default('udp');
}

/** A port that can be mapped, as commander's argument parser. */
export function parseMappedPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  }
  return port;
}
