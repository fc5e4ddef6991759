import { endpoint } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { MappingProtocol } from '../../core/port-mapper.ts';
import { printable } from '../../core/printable.ts';
import type { GatewayTable, TableEntry, TableRefusal, TableWish } from '../gateway-table.ts';
import type { FaultName } from './fault.ts';
import type { SoapArguments, SoapRequest } from './soap.ts';
import { LONGEST_LEASE } from './wan-connection.ts';

/**
 * The service WANIPConnection of a gateway, as far as port mappings go. Hosts make and remove mappings of their own only, as with
 * miniupnpd's secure mode. `now` is in ms and never goes back.
 */
export interface WanConnectionServer {
  /** The output arguments of an action, or why it is refused. `client`: the numeric IPv4 address of who asks. */
  perform(request: Pick<SoapRequest, 'action' | 'args'>, client: string, now: number): SoapArguments | FaultName;
}

export interface WanConnectionServerOptions {
  readonly table: GatewayTable;
  /** 2 has AddAnyPortMapping, and no leases without end. */
  readonly version: 1 | 2;
  /** Seconds of a lease at most. */
  readonly maxLifetime: number;
  /** Of version 1: leases without end only. */
  readonly permanentOnly: boolean;
  /** Seconds since it was connected. */
  readonly uptime: (now: number) => number;
}

export function createWanConnectionServer(options: WanConnectionServerOptions): WanConnectionServer {
  const { table, version, maxLifetime, permanentOnly, uptime } = options;

  function addPort(args: Arguments, client: string, now: number): SoapArguments | FaultName {
    const wish = readWish(args, client);
    if (typeof wish === 'string') return wish;
    if (wish.externalPort === undefined) return 'WildCardNotPermittedInExtPort';
    if (permanentOnly && Number.isFinite(wish.lifetime)) return 'OnlyPermanentLeasesSupported';
    const standing = find(wish.protocol, wish.externalPort, now);
    const { internal } = wish;
    // An entry of the same client is overwritten (WANIPConnection:1 section 2.4.16).
    if (standing?.internal.address === internal.address && standing.internal.port !== internal.port) {
      table.remove(standing, now);
    }
    const entry = table.add(wish, now);
    return typeof entry === 'string' ? refusal(entry) : [];
  }

  function addAnyPort(args: Arguments, client: string, now: number): SoapArguments | FaultName {
    const wish = readWish(args, client);
    if (typeof wish === 'string') return wish;
    const first = table.add(wish, now);
    const entry = first === 'conflict' ? table.add({ ...wish, externalPort: undefined }, now) : first;
    return typeof entry === 'string' ? refusal(entry) : [['NewReservedPort', entry.external.port]];
  }

  function deletePort(args: Arguments, client: string, now: number): SoapArguments | FaultName {
    const entry = readEntry(args, now);
    if (typeof entry === 'string') return entry;
    if (entry.internal.address !== client) return version === 2 ? 'ActionNotAuthorized' : 'NoSuchEntryInArray';
    table.remove(entry, now);
    return [];
  }

  function tellSpecific(args: Arguments, now: number): SoapArguments | FaultName {
    const entry = readEntry(args, now);
    return typeof entry === 'string' ? entry : entryArguments(entry, now);
  }

  function tellGeneric(args: Arguments, now: number): SoapArguments | FaultName {
    const index = readInteger(args, 'NewPortMappingIndex', 0xffff);
    if (index === undefined) return 'InvalidArgs';
    const entry = mappings(now)[index];
    if (entry === undefined) return 'SpecifiedArrayIndexInvalid';
    const { protocol, external } = entry;
    const key = [
      ['NewRemoteHost', ''],
      ['NewExternalPort', external.port],
      ['NewProtocol', protocol.toUpperCase()],
    ] as const;
    return [...key, ...entryArguments(entry, now)];
  }

  function readWish(args: Arguments, client: string): TableWish | FaultName {
    const key = readKey(args);
    if (typeof key === 'string') return key;
    const internalPort = readInteger(args, 'NewInternalPort', 0xffff);
    const address = args.get('NewInternalClient') ?? '';
    const lease = args.has('NewLeaseDuration') ? readInteger(args, 'NewLeaseDuration', 0xffff_ffff) : 0;
    if (!internalPort || lease === undefined || parseIp(address)?.family !== 4) return 'InvalidArgs';
    if (address !== client) return version === 2 ? 'ActionNotAuthorized' : 'ConflictInMappingEntry';
    return {
      protocol: key.protocol,
      internal: endpoint(address, internalPort),
      externalPort: key.externalPort || undefined,
      lifetime: 1000 * granted(lease),
      description: printable(args.get('NewPortMappingDescription') ?? '', MAX_TEXT),
    };
  }

  /** Seconds. In version 1, 0 is for ever; in version 2 it is the longest lease. */
  function granted(lease: number): number {
    if (version === 1 && lease === 0) return Number.POSITIVE_INFINITY;
    const longest = version === 2 ? Math.min(maxLifetime, LONGEST_LEASE) : maxLifetime;
    return lease === 0 ? longest : Math.min(lease, longest);
  }

  function readEntry(args: Arguments, now: number): TableEntry | FaultName {
    const key = readKey(args);
    if (typeof key === 'string') return key;
    if (key.externalPort === 0) return 'InvalidArgs';
    return find(key.protocol, key.externalPort, now) ?? 'NoSuchEntryInArray';
  }

  function find(protocol: MappingProtocol, externalPort: number, now: number): TableEntry | undefined {
    return mappings(now).find((entry) => entry.protocol === protocol && entry.external.port === externalPort);
  }

  /** Pinholes of IPv6 are no port mappings. */
  function mappings(now: number): readonly TableEntry[] {
    return table.entries(now).filter(({ internal }) => internal.family === 4);
  }

  function refusal(why: TableRefusal): FaultName {
    if (why === 'conflict') return 'ConflictInMappingEntry';
    return why === 'exhausted' && version === 2 ? 'NoPortMapsAvailable' : 'ActionFailed';
  }

  return {
    perform({ action, args }, client, now) {
      switch (action) {
        case 'AddPortMapping':
          return addPort(args, client, now);
        case 'AddAnyPortMapping':
          return version === 2 ? addAnyPort(args, client, now) : 'InvalidAction';
        case 'DeletePortMapping':
          return deletePort(args, client, now);
        case 'GetSpecificPortMappingEntry':
          return tellSpecific(args, now);
        case 'GetGenericPortMappingEntry':
          return tellGeneric(args, now);
        case 'GetExternalIPAddress':
          return [['NewExternalIPAddress', table.externalAddress(client) ?? '']];
        case 'GetStatusInfo':
          return [
            ['NewConnectionStatus', table.externalAddress(client) === undefined ? 'Disconnected' : 'Connected'],
            ['NewLastConnectionError', 'ERROR_NONE'],
            ['NewUptime', uptime(now)],
          ];
        default:
          return 'InvalidAction';
      }
    },
  };
}

type Arguments = SoapRequest['args'];

/** `externalPort` 0 where any is meant. */
function readKey(args: Arguments): { protocol: MappingProtocol; externalPort: number } | FaultName {
  const externalPort = args.get('NewExternalPort') === '*' ? 0 : readInteger(args, 'NewExternalPort', 0xffff);
  const protocol = PROTOCOLS.get(args.get('NewProtocol') ?? '');
  if (externalPort === undefined || protocol === undefined) return 'InvalidArgs';
  const remote = args.get('NewRemoteHost') ?? '';
  return remote === '' || remote === '*' ? { protocol, externalPort } : 'RemoteHostOnlySupportsWildcard';
}

function readInteger(args: Arguments, name: string, most: number): number | undefined {
  const text = args.get(name) ?? '';
  return /^\d{1,10}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/** Of an answer that tells an entry, all but its key. */
function entryArguments({ internal, until, description }: TableEntry, now: number): SoapArguments {
  return [
    ['NewInternalPort', internal.port],
    ['NewInternalClient', internal.address],
    ['NewEnabled', 1],
    ['NewPortMappingDescription', description],
    ['NewLeaseDuration', Number.isFinite(until) ? Math.max(1, Math.ceil((until - now) / 1000)) : 0],
  ];
}

const PROTOCOLS: ReadonlyMap<string, MappingProtocol> = new Map([
  ['UDP', 'udp'],
  ['TCP', 'tcp'],
]);

/** Of a description, in UTF-16 code units. */
const MAX_TEXT = 64;
