import type { GatewayTable } from '../../protocol/gateway-table.ts';
import type { GatewaySite, GatewayState } from './gateway-site.ts';
import { type GatewayRules, type GatewaySpec, readGatewaySpec } from './gateway-spec.ts';
import { type PortControl, startPortControl } from './port-control.ts';
import { createRouterTable } from './router-table.ts';
import { igdIdentity, startUpnp } from './upnp.ts';

/** What in a router maps ports for the hosts of its network, by the project's own servers of UPnP, NAT-PMP and PCP. */
export class Gateway implements GatewayState {
  readonly rules: GatewayRules;
  readonly table: GatewayTable;
  readonly epoch = (now: number): number => Math.floor((now - this.#epochBegan) / 1000);
  readonly #site: GatewaySite;
  #epochBegan = 0;
  #boots = 0;
  #portControl: PortControl | undefined;

  /**
   * Serves from now on, and anew whenever the router comes up again. At the start it has been up for a day: a world begins with
   * routers that have nothing to announce. Errors: `ERR_USAGE`.
   */
  constructor(spec: GatewaySpec, site: GatewaySite) {
    this.rules = readGatewaySpec(spec, 'gateway');
    this.table = createRouterTable(site);
    this.#site = site;
    const { upnp, natPmp, pcp } = this.rules;
    const identity = upnp ? igdIdentity(upnp, site) : undefined;
    site.router.serve(() => {
      const isFirst = this.#boots++ === 0;
      this.#epochBegan = site.clock.now() - (isFirst ? DAY : 0);
      this.#portControl = natPmp || pcp ? startPortControl(site, this) : undefined;
      const device = identity && startUpnp(site, this, { identity, bootId: String(this.#boots) });
      if (isFirst) return;
      this.#portControl?.announce();
      device?.announce();
    });
  }

  /** The router has other addresses above: who has mappings is told (RFC 6886 section 3.2.1, RFC 6887 section 14.1). */
  readdressed(): void {
    this.#epochBegan = this.#site.clock.now();
    if (this.#site.router.on) this.#portControl?.announce();
  }
}

/** ms. */
const DAY = 86_400_000;
