import { Fields, usage } from '../fields.ts';
import type { NetworkSpec } from '../plan.ts';

/**
 * What a router maps ports by, as people write it: plain data. At least one of the protocols. What is absent has its default, see
 * {@link readGatewaySpec}.
 */
export type GatewaySpec = Partial<GatewayRules>;

/** The same, complete. */
export interface GatewayRules {
  /** The version of its UPnP Internet Gateway Device; `false`: it speaks none. */
  readonly upnp: 1 | 2 | false;
  /** RFC 6886. */
  readonly natPmp: boolean;
  /** RFC 6887: mappings of its NAT, and pinholes in its firewall. */
  readonly pcp: boolean;
  /** Seconds of a lease at most, 120..2^32-1; who asks for more gets so many. */
  readonly maxLifetime: number;
  /** UPnP of version 1 grants leases without end only (fault 725), as many older routers do. */
  readonly permanentOnly: boolean;
}

/**
 * Checks and completes plain data. Defaults are no protocol at all, and leases of a day at most (RFC 6887 section 15). Errors:
 * `ERR_USAGE` with the field's path, which begins with `path`.
 */
export function readGatewaySpec(value: unknown, path: string): GatewayRules {
  const fields = new Fields(value, path, GATEWAY_FIELDS);
  const rules: GatewayRules = {
    upnp: readVersion(fields),
    natPmp: fields.boolean('natPmp') ?? false,
    pcp: fields.boolean('pcp') ?? false,
    maxLifetime: fields.integer('maxLifetime', LIFETIME) ?? DAY,
    permanentOnly: fields.boolean('permanentOnly') ?? false,
  };
  if (!rules.upnp && !rules.natPmp && !rules.pcp) throw usage(path, 'must speak at least one of upnp, natPmp and pcp');
  if (rules.permanentOnly && rules.upnp !== 1) throw usage(fields.at('permanentOnly'), 'needs upnp of version 1');
  return rules;
}

/** Errors: `ERR_USAGE` for a gateway that has nothing to map ports by: NAT, or for PCP a firewall. */
export function requireBoxes(spec: Pick<NetworkSpec, 'gateway' | 'nat' | 'firewall'>, path: string): void {
  const { gateway, nat, firewall } = spec;
  if (gateway === undefined || nat !== undefined) return;
  if (gateway.upnp || gateway.natPmp) throw usage(path, 'UPnP and NAT-PMP map ports of a NAT, and there is none');
  if (firewall === undefined) throw usage(path, 'PCP maps ports of a NAT or a firewall, and there is neither');
}

function readVersion(fields: Fields): GatewayRules['upnp'] {
  const version = fields.raw('upnp') ?? false;
  if (version === 1 || version === 2 || version === false) return version;
  throw usage(fields.at('upnp'), `must be 1, 2 or false, not ${JSON.stringify(version)}`);
}

const GATEWAY_FIELDS: readonly (keyof GatewayRules)[] = ['upnp', 'natPmp', 'pcp', 'maxLifetime', 'permanentOnly'];
/** Seconds. Servers should not grant less than two minutes (RFC 6887 section 15). */
const LIFETIME = { min: 120, max: 0xffff_ffff };
const DAY = 86_400;
