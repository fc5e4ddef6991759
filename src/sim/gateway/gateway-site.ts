import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { GatewayTable } from '../../protocol/gateway-table.ts';
import type { Host } from '../host.ts';
import type { Interface } from '../interface.ts';
import { contains } from '../prefix.ts';
import type { GatewayRules } from './gateway-spec.ts';
import type { RouterBoxes } from './router-table.ts';

/** Where a gateway lives. */
export interface GatewaySite extends RouterBoxes {
  readonly router: Host;
  /** The router's interface towards its own network: nobody else is served. */
  readonly inside: Interface;
  readonly clock: Clock;
  /** For the ids of its UPnP devices. */
  readonly random: Random;
}

/** What the servers of a gateway share. */
export interface GatewayState {
  readonly rules: GatewayRules;
  readonly table: GatewayTable;
  /** Seconds since the table was empty, or its external address another (RFC 6887 section 8.5). `now` in ms. */
  readonly epoch: (now: number) => number;
}

/** Whether an address is one of the gateway's own network. */
export function isInside({ inside }: Pick<GatewaySite, 'inside'>, address: string): boolean {
  return inside.addresses.some(({ prefix }) => contains(prefix, address));
}
