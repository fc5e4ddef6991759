import type { FirewallSpec, GatewaySpec, NatDependence, NatSpec, NetworkSpec } from '../sim.ts';

/**
 * What stands in the router of a simulated network, in the words of RFC 4787, with the nickname in brackets: two lines for people
 * where there is a NAT.
 */
export function describeRouter({ nat, firewall, gateway }: NetworkSpec): readonly string[] {
  const [behavior, ...more] = nat === undefined ? [] : describeNat(nat);
  const rest = [
    ...more,
    ...(firewall === undefined ? [] : [describeFirewall(firewall)]),
    ...(gateway === undefined ? [] : [describeGateway(gateway)]),
  ];
  return [...(behavior === undefined ? [] : [behavior]), ...(rest.length === 0 ? [] : [rest.join(', ')])];
}

/** The defaults are those of `NatSpec`. */
function describeNat(nat: NatSpec): readonly string[] {
  const { mapping = 'endpoint-independent', filtering = 'address-and-port-dependent', portAllocation = 'random' } = nat;
  const ports =
    typeof portAllocation === 'string' ? PORTS[portAllocation] : `ports in steps of ${portAllocation.sequential}`;
  return [`${mapping} mapping, ${filtering} filtering`, `(${nickname(mapping, filtering)})`, ports];
}

/** RFC 3489 section 5, whose words cannot tell most NATs apart. */
function nickname(mapping: NatDependence, filtering: NatDependence): string {
  return mapping === 'endpoint-independent' ? `${CONES[filtering]} cone` : 'symmetric';
}

function describeFirewall({ outbound = 'any' }: FirewallSpec): string {
  if (outbound === 'any') return 'a firewall that lets in answers only';
  const rules = outbound.map(({ protocol, ports }) => {
    const which = ports === 'any' ? 'all ports' : `ports ${ports.join(' and ')}`;
    return `${protocol.toUpperCase()} to ${which}`;
  });
  return `a firewall that lets out ${rules.join(', ')} only`;
}

function describeGateway({ upnp, natPmp, pcp }: GatewaySpec): string {
  const protocols = [...(upnp ? ['UPnP'] : []), ...(natPmp ? ['NAT-PMP'] : []), ...(pcp ? ['PCP'] : [])];
  return `maps ports by ${protocols.join(' and ')}`;
}

const CONES: Readonly<Record<NatDependence, string>> = {
  'endpoint-independent': 'full',
  'address-dependent': 'restricted',
  'address-and-port-dependent': 'port-restricted',
};

const PORTS = { preserve: 'ports kept', parity: 'random ports of the same parity', random: 'random ports' } as const;
