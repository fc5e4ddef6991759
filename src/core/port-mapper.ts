import type { Observable } from 'rxjs';
import type { Clock } from './clock.ts';
import type { Endpoint } from './endpoint.ts';
import { TraversalError } from './errors.ts';
import { type AddressKind, classifyAddress, parseIp } from './ip-address.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';

/** The ports of which transport a mapping joins. */
export type MappingProtocol = 'udp' | 'tcp';

/** The port mappers of this package. */
export type BuiltInVia = 'pcp' | 'nat-pmp' | 'upnp-igd' | 'nat-upnp';

/** Which adapter made a mapping, and so which one can renew and release it: one of ours, or one of somebody's own, named as strategies are. */
export type MappingVia = BuiltInVia | (string & {});

/** Which hosts an external address can be reached from: all, those behind the same carrier NAT, those of a private network. */
export type MappingReach = 'internet' | 'carrier' | 'private';

/** What {@link PortMapper.map} is asked for. */
export interface MappingRequest {
  readonly protocol: MappingProtocol;
  /** 1..65535, on this host. */
  readonly internalPort: number;
  /** 1..65535, wished for; absent: the same as `internalPort`. */
  readonly externalPort?: number;
  /** Seconds wished for, 1..2^32-1; the gateway decides. Default {@link DEFAULT_LIFETIME}. */
  readonly lifetime?: number;
  /** What the gateway's table shows to people, where the protocol carries text. */
  readonly description?: string;
  /** Numeric address of this host that the mapping leads to; absent: the IPv4 address that the gateway's route uses. */
  readonly internalAddress?: string;
  /** What to do when the external port belongs to somebody else. Default `another-port`. */
  readonly onConflict?: 'another-port' | 'fail';
}

/** An explicit lease of an external port, as its gateway granted it. Plain data: it can be stored and given to a later process. */
export interface Mapping {
  readonly via: MappingVia;
  readonly protocol: MappingProtocol;
  /** Where the mapping leads to, on this host. */
  readonly internal: Endpoint;
  /** Where others send to. The port may differ from the one wished for. */
  readonly external: Endpoint;
  /** Numeric address of the gateway. */
  readonly gateway: string;
  /** Seconds granted; 0 is a lease without end, which is to be released by its owner. */
  readonly lifetime: number;
  /** `clock.now()` in ms after which the mapping is gone unless renewed; `Infinity` for a lease without end. */
  readonly goodUntil: number;
  /** `clock.now()` in ms from which to renew: half the lifetime, with jitter. */
  readonly renewAfter: number;
  readonly reach: MappingReach;
  /** The adapter's own notes for `renew` and `release`, such as a nonce or a URL. */
  readonly handle: Readonly<Record<string, string | number>>;
}

/** One line of a gateway's table, whoever made it. */
export interface ListedMapping {
  readonly protocol: MappingProtocol;
  readonly externalPort: number;
  readonly internal: Endpoint;
  /** Seconds left; 0 is a lease without end. */
  readonly lifetime: number;
  readonly description: string;
  readonly enabled: boolean;
}

/** A gateway that forgot its mappings, or may have: each of them is to be made again. */
export interface GatewayRestart {
  /** Numeric address, as in {@link Mapping.gateway}. */
  readonly gateway: string;
}

/**
 * Asks a gateway for port mappings, by one protocol. Every call is bounded in time and touches only mappings of its caller.
 *
 * Errors of all calls: `ERR_MAPPING_UNAVAILABLE` when no gateway speaks the protocol, `ERR_MAPPING_REFUSED` when it speaks it and
 * may not or will not, `ERR_MAPPING_EXHAUSTED` without room for another mapping, `ERR_GATEWAY_PROTOCOL` when its answer makes no
 * sense, `ERR_TIMEOUT` when it spoke before and is silent now, `ERR_ABORTED`, `ERR_CLOSED` after `close`, and those of `Network`.
 */
export interface PortMapper {
  readonly name: MappingVia;
  /**
   * Makes a mapping. An aborted call leaves none, as far as the gateway can be told. Also `ERR_MAPPING_CONFLICT` when the port is
   * taken and the request says `fail`, and `ERR_USAGE` for a request out of range.
   */
  map(request: MappingRequest, options?: { signal?: AbortSignal }): Promise<Mapping>;
  /**
   * Extends a lease that this adapter made, in this process or an earlier one. The external endpoint may have changed; the result
   * replaces the mapping. Also `ERR_USAGE` for a mapping of another adapter.
   */
  renew(mapping: Mapping, options?: { signal?: AbortSignal }): Promise<Mapping>;
  /** Ends a lease. One that is gone already is no error. Also `ERR_USAGE` for a mapping of another adapter. */
  release(mapping: Mapping, options?: { signal?: AbortSignal }): Promise<void>;
  /** The gateway's table, ours and others', where the protocol can tell it. */
  list?(options?: { signal?: AbortSignal }): Promise<readonly ListedMapping[]>;
  /** Hot; completes on close. Never errors. */
  readonly restarts$: Observable<GatewayRestart>;
  /** Ends calls under way with `ERR_CLOSED` and frees sockets. Mappings stay: whoever made them releases them before. */
  close(): void | Promise<void>;
}

/** What of the environment a port mapper runs on. */
export interface PortMapperEnvironment {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What an adapter gives: a port mapper of one protocol for whatever world. */
export type PortMapperFactory = (environment: PortMapperEnvironment) => PortMapper;

/** Seconds that a mapping is asked for unless its request says otherwise: short enough that a killed process leaves no trace for long. */
export const DEFAULT_LIFETIME = 3600;

/** Throws `ERR_USAGE` for what no gateway could be asked for. */
export function checkMappingRequest(request: MappingRequest): void {
  const { internalPort, externalPort = internalPort, lifetime = DEFAULT_LIFETIME, internalAddress } = request;
  requireInteger('internalPort', internalPort, 0xffff);
  requireInteger('externalPort', externalPort, 0xffff);
  requireInteger('lifetime', lifetime, 0xffff_ffff);
  if (internalAddress !== undefined && parseIp(internalAddress) === undefined) {
    throw new TraversalError('ERR_USAGE', `a mapping leads to a numeric address, not to ${internalAddress}`);
  }
}

/** Who can reach an external address. Throws `RangeError` when it is not numeric. */
export function mappingReach(externalAddress: string): MappingReach {
  return REACH[classifyAddress(externalAddress)];
}

const REACH: Readonly<Record<AddressKind, MappingReach>> = {
  public: 'internet',
  carrier: 'carrier',
  private: 'private',
  'link-local': 'private',
  loopback: 'private',
  multicast: 'private',
  broadcast: 'private',
  unspecified: 'private',
  deprecated: 'private',
};

function requireInteger(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new TraversalError('ERR_USAGE', `${name} of a mapping is a whole number in 1..${most}, not ${value}`);
}
