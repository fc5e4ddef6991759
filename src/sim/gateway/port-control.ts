import type { TimerHandle } from '../../core/clock.ts';
import { type Endpoint, endpoint, type Family } from '../../core/endpoint.ts';
import { createNatPmpServer, NATPMP_CLIENT_PORT, NATPMP_PORT, NATPMP_VERSION } from '../../protocol/natpmp/index.ts';
import { createPcpServer } from '../../protocol/pcp/index.ts';
import type { UdpSocket } from '../udp-socket.ts';
import { type GatewaySite, type GatewayState, isInside } from './gateway-site.ts';

/** NAT-PMP and PCP, which share a port. */
export interface PortControl {
  /** Tells all hosts of the network what the epoch is, ten times at intervals that double (RFC 6886 section 3.2.1). */
  announce(): void;
}

/** Serves until the router goes down. */
export function startPortControl(site: GatewaySite, state: GatewayState): PortControl {
  const servers = site.inside.addresses
    .filter(({ family }) => isServed(family, site, state))
    .map(({ address, family }) => startServer(site, state, address, family));
  return {
    announce() {
      for (const server of servers) server.announce();
    },
  };
}

/** NAT-PMP is of IPv4; PCP is of what the router's boxes guard. */
function isServed(family: Family, { nat, firewall }: GatewaySite, { rules }: GatewayState): boolean {
  const isGuarded = firewall?.rules.families.includes(family) ?? false;
  return family === 4 ? nat !== undefined || isGuarded : rules.pcp && isGuarded;
}

function startServer(site: GatewaySite, state: GatewayState, address: string, family: Family): PortControl {
  const { router, clock } = site;
  const { rules, table, epoch } = state;
  const options = { table, epoch, maxLifetime: rules.maxLifetime };
  const natPmp = rules.natPmp && family === 4 ? createNatPmpServer(options) : undefined;
  const pcp = rules.pcp ? createPcpServer(options) : undefined;
  const socket: UdpSocket = router.udp.bind({ family, address, port: NATPMP_PORT });
  let timer: TimerHandle;

  /** What one does not speak, the other refuses in its own words. */
  function answer(data: Uint8Array, { address: client }: Endpoint): Uint8Array | undefined {
    const [preferred, other] = data[0] === NATPMP_VERSION ? [natPmp, pcp] : [pcp, natPmp];
    return (preferred ?? other)?.answer(data, client, clock.now());
  }

  function announce(left: number, interval: number): void {
    clock.clearTimeout(timer);
    for (const server of [natPmp, pcp]) {
      if (server !== undefined) socket.send(server.announcement(clock.now()), ALL_HOSTS[family]);
    }
    if (left > 1) timer = clock.setTimeout(() => announce(left - 1, 2 * interval), interval);
  }

  socket.onDatagram = (data, from) => {
    if (!isInside(site, from.address)) return;
    const bytes = answer(data, from);
    if (bytes !== undefined) socket.send(bytes, from);
  };
  socket.onClosed = () => clock.clearTimeout(timer);
  return { announce: () => announce(ANNOUNCEMENTS, FIRST_INTERVAL) };
}

/** RFC 6886 section 3.2.1, RFC 6887 section 14.1.1. */
const ALL_HOSTS: Readonly<Record<Family, Endpoint>> = {
  4: endpoint('224.0.0.1', NATPMP_CLIENT_PORT),
  6: endpoint('ff02::1', NATPMP_CLIENT_PORT),
};
const ANNOUNCEMENTS = 10;
/** ms. */
const FIRST_INTERVAL = 250;
