import { formatEndpoint } from '../core/endpoint.ts';
import type { PortLeaseState } from '../core/port-lease.ts';
import type { MappingReach } from '../core/port-mapper.ts';
import type { Attempt } from '../core/verdict.ts';
import type { MappedPort } from './mapped-ports.ts';

/** What came of asking for each port, for a connection that started at `since` (ms of the clock). */
export function mapAttempts(ports: readonly MappedPort[], since: number): readonly Attempt[] {
  return ports.map(({ request: { protocol, internalPort }, lease }) => {
    const asked = 'attempts' in lease ? lease.attempts : [];
    const startedAt = Math.min(...asked.map((attempt) => attempt.startedAt));
    const endedAt = Math.max(...asked.map((attempt) => attempt.endedAt));
    return {
      strategy: 'map',
      ok: lease.state === 'mapped',
      reason: `${protocol} port ${internalPort}: ${describeLease(lease)}`,
      startedAt: asked.length > 0 ? startedAt - since : 0,
      endedAt: asked.length > 0 ? endedAt - since : 0,
    };
  });
}

/** What would make a mapping, or make it of use; nothing where it is, where none was asked for, and where that is not clear. */
export function mappingAdvice(ports: readonly MappedPort[]): string | undefined {
  const leases = ports.map(({ lease }) => lease);
  const mapped = leases.find((lease) => lease.state === 'mapped');
  if (mapped !== undefined) {
    const { external, reach } = mapped.mapping;
    return USELESS[reach] && `this side's router has the address ${external.address}: ${USELESS[reach]}`;
  }
  const failures = leases.flatMap((lease) => (lease.state === 'unavailable' ? lease.attempts : []));
  if (failures.some(({ code }) => code === 'ERR_MAPPING_REFUSED')) {
    return "this side's router refuses port mappings: allow UPnP, NAT-PMP or PCP there";
  }
  const isSilent = failures.every(({ code }) => code === 'ERR_MAPPING_UNAVAILABLE' || code === 'ERR_TIMEOUT');
  return isSilent && failures.length > 0
    ? 'no router of this side answered: turn on UPnP, NAT-PMP or PCP there, for a port mapping'
    : undefined;
}

function describeLease(lease: PortLeaseState): string {
  switch (lease.state) {
    case 'mapping':
      return 'no answer yet';
    case 'mapped': {
      const { via, external, reach } = lease.mapping;
      return `${formatEndpoint(external)} leads here, by ${via}${REACHED_FROM[reach]}`;
    }
    case 'unavailable':
      return lease.attempts.map(({ via, reason }) => `${via}: ${reason}`).join('; ') || 'there was nothing to ask by';
    case 'released':
      return 'released';
  }
}

const REACHED_FROM: Readonly<Record<MappingReach, string>> = {
  internet: '',
  carrier: ', from behind the same carrier NAT only',
  private: ', from within the private network around the router only',
};

const USELESS: Readonly<Record<MappingReach, string | undefined>> = {
  internet: undefined,
  carrier:
    'it is behind a carrier NAT, and its port mapping is of no use from outside; ask the provider for a public address',
  private:
    'it is behind another router, and its port mapping is of no use from outside; map the port there too, or make one of the two a bridge',
};
