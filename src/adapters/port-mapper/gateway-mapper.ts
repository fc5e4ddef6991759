import { type Endpoint, endpoint, type Family, formatEndpoint } from '../../core/endpoint.ts';
import { GatewayError, TraversalError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { Gateway, Network } from '../../core/network.ts';
import { type Mapping, mappingReach, type PortMapper, type PortMapperEnvironment } from '../../core/port-mapper.ts';
import type { GatewayClient } from '../../protocol/gateway-client.ts';
import { createCalls } from './calls.ts';
import { type CompleteRequest, completeRequest, leaseTimes, requireOwn } from './conduct.ts';
import type { GatewayLink } from './gateway-link.ts';
import { createGatewayLinks } from './gateway-links.ts';
import { createRestarts } from './restarts.ts';
import { staggered } from './staggered.ts';

/** What PCP and NAT-PMP say differently; what they share, the mapper does. */
export interface MapperDialect<Request, Response> {
  readonly name: 'pcp' | 'nat-pmp';
  readonly families: readonly Family[];
  client(server: Endpoint): GatewayClient<Request, Response>;
  encode(request: Request): Uint8Array;
  /** The notes that a new mapping gets. */
  handle(lease: Omit<Lease, 'handle'>): Mapping['handle'];
  /** Makes or extends the lease. Rejects with what the gateway's refusal means. */
  grant(lease: Lease, ask: (request: Request) => Promise<Response>): Promise<Grant>;
  /** Whether a request may leave a mapping behind. */
  maps(request: Request): boolean;
  /** The request that ends the lease. */
  withdrawal(lease: Lease): Request;
  /** Throws what the gateway's refusal means. */
  checkWithdrawal(response: Response): void;
}

/** What a gateway is asked for. */
export interface Lease extends Pick<Mapping, 'protocol' | 'internal' | 'gateway' | 'handle'> {
  /** Wished for; the address is the family's unspecified one when there is no wish. */
  readonly external: Endpoint;
  /** Seconds. */
  readonly lifetime: number;
  readonly onConflict: CompleteRequest['onConflict'];
}

/** What a gateway gave. */
export interface Grant {
  readonly external: Endpoint;
  /** Seconds. */
  readonly lifetime: number;
}

/** ms of head start for the gateway of the preferred route. */
const STAGGER = 250;
/** Gateways that are asked; hosts have one or two. */
const MAX_GATEWAYS = 4;

/** A port mapper of a gateway protocol. `timeout` is in ms, for a whole call. */
export function createGatewayMapper<Request, Response>(
  dialect: MapperDialect<Request, Response>,
  timeout: number,
  environment: PortMapperEnvironment,
): PortMapper {
  const { name } = dialect;
  const { network, clock } = environment;
  const restarts = createRestarts(clock);
  const calls = createCalls(name);
  const links = createGatewayLinks({
    environment,
    name,
    client: dialect.client,
    encode: dialect.encode,
    onRestart: restarts.tell,
  });
  /** How many calls are about a mapping, and one more for it if it stands, by its key. */
  const claims = new Map<string, number>();
  /** Of the mappings that stand, by their key: each holds its link, which listens for the gateway's restart. */
  const standing = new Map<string, Claim<Request, Response>>();

  async function claim(lease: Lease): Promise<Claim<Request, Response>> {
    const key = keyOf(lease);
    const link = await links.enter(lease.gateway, lease.internal.address);
    claims.set(key, (claims.get(key) ?? 0) + 1);
    return {
      link,
      giveUp() {
        const left = claims.get(key)! - 1;
        if (left > 0) claims.set(key, left);
        else claims.delete(key);
        links.leave(lease.gateway, lease.internal.address);
      },
    };
  }

  /** To the gateway, another mapping of the same port is the same one. */
  function keep(lease: Lease, claimed: Claim<Request, Response>): void {
    const key = keyOf(lease);
    if (standing.has(key)) claimed.giveUp();
    else standing.set(key, claimed);
  }

  /** Makes a mapping at one gateway, or leaves none there. */
  async function attempt(lease: Lease, deadline: number, signal: AbortSignal): Promise<Attempted> {
    const claimed = await claim(lease);
    const { link } = claimed;
    let mayBeMapped = false;
    const ask = (request: Request): Promise<Response> => {
      mayBeMapped ||= dialect.maps(request);
      return link.ask(request, { timeout: deadline - clock.now(), signal });
    };
    const isToWithdraw = (): boolean => mayBeMapped && claims.get(keyOf(lease)) === 1;
    const undo = (): void => {
      if (isToWithdraw()) link.tell(dialect.withdrawal(lease));
      claimed.giveUp();
    };
    try {
      const grant = await dialect.grant(lease, ask);
      if (lease.onConflict === 'fail' && grant.external.port !== lease.external.port) {
        if (isToWithdraw()) await ask(dialect.withdrawal(lease));
        mayBeMapped = false;
        throw new TraversalError('ERR_MAPPING_CONFLICT', `${name}: external port ${lease.external.port} is taken`);
      }
      return { mapping: mappingOf(lease, grant), keep: () => keep(lease, claimed), undo };
    } catch (error) {
      // Refused: what stands there now is not of this call.
      if (error instanceof GatewayError) mayBeMapped = false;
      undo();
      throw error;
    }
  }

  function mappingOf(lease: Lease, { external, lifetime }: Grant): Mapping {
    const { protocol, internal, gateway, handle } = lease;
    const reach = mappingReach(external.address);
    return { via: name, protocol, internal, external, gateway, ...leaseTimes(lifetime, environment), reach, handle };
  }

  function leaseOf(mapping: Mapping): Lease {
    requireOwn(mapping, name);
    return { ...mapping, onConflict: 'another-port' };
  }

  async function map(wish: CompleteRequest, signal: AbortSignal): Promise<Attempted> {
    const deadline = clock.now() + timeout;
    const gateways = (await gatewaysFor(wish, network, dialect.families)).slice(0, MAX_GATEWAYS);
    if (gateways.length === 0) {
      throw new TraversalError('ERR_MAPPING_UNAVAILABLE', `${name}: this host has no gateway to ask`);
    }
    const attempts = gateways.map((gateway) => {
      const lease = newLease(wish, gateway);
      return (stop: AbortSignal) => attempt({ ...lease, handle: dialect.handle(lease) }, deadline, stop);
    });
    return staggered(attempts, { clock, stagger: STAGGER, signal, discard });
  }

  async function renew(lease: Lease, signal: AbortSignal): Promise<Mapping> {
    const deadline = clock.now() + timeout;
    const claimed = await claim(lease);
    const ask = (request: Request): Promise<Response> =>
      claimed.link.ask(request, { timeout: deadline - clock.now(), signal });
    try {
      const mapping = mappingOf(lease, await dialect.grant(lease, ask));
      keep(lease, claimed);
      return mapping;
    } catch (error) {
      claimed.giveUp();
      throw error;
    }
  }

  async function release(lease: Lease, signal: AbortSignal): Promise<void> {
    const key = keyOf(lease);
    const claimed = await claim(lease);
    try {
      dialect.checkWithdrawal(await claimed.link.ask(dialect.withdrawal(lease), { timeout, signal }));
      standing.get(key)?.giveUp();
      standing.delete(key);
    } finally {
      claimed.giveUp();
    }
  }

  return {
    name,
    async map(request, { signal } = {}) {
      const attempted = await calls.run(signal, async (stop) => map(completeRequest(request), stop), discard);
      attempted.keep();
      return attempted.mapping;
    },
    renew: (mapping, { signal } = {}) => calls.run(signal, async (stop) => renew(leaseOf(mapping), stop)),
    release: (mapping, { signal } = {}) => calls.run(signal, async (stop) => release(leaseOf(mapping), stop)),
    restarts$: restarts.restarts$,
    async close() {
      await calls.close();
      links.close();
      restarts.close();
    },
  };
}

/** A call that is about a mapping, or the mapping itself. */
interface Claim<Request, Response> {
  readonly link: GatewayLink<Request, Response>;
  /** Called once. */
  giveUp(): void;
}

interface Attempted {
  readonly mapping: Mapping;
  /** It stands, and is wanted. */
  keep(): void;
  /** Withdraws it without waiting. */
  undo(): void;
}

/** What nobody wants any more. */
function discard({ undo }: Attempted): void {
  undo();
}

/** Gateways of the family asked for, and of the interface that has the internal address where one is given; best first. */
async function gatewaysFor(
  { internalAddress }: CompleteRequest,
  network: Network,
  families: readonly Family[],
): Promise<Gateway[]> {
  const family = internalAddress === undefined ? 4 : parseIp(internalAddress)!.family;
  if (!families.includes(family)) return [];
  const gateways = (await network.gateways()).filter((gateway) => gateway.family === family);
  if (internalAddress === undefined) return gateways;
  const owner = network.interfaces().find(({ address }) => address === internalAddress);
  if (owner !== undefined) return gateways.filter((gateway) => gateway.interface === owner.name);
  throw new TraversalError('ERR_USAGE', `${internalAddress} is not an address of this host`);
}

function newLease(wish: CompleteRequest, gateway: Gateway): Omit<Lease, 'handle'> {
  const { protocol, internalPort, externalPort, lifetime, onConflict, internalAddress = gateway.local } = wish;
  return {
    protocol,
    internal: endpoint(internalAddress, internalPort),
    external: endpoint(gateway.family === 4 ? '0.0.0.0' : '::', externalPort),
    gateway: gateway.address,
    lifetime,
    onConflict,
  };
}

/** To a gateway a mapping is its internal side: there is one for each. */
function keyOf({ gateway, protocol, internal }: Lease): string {
  return `${gateway} ${protocol} ${formatEndpoint(internal)}`;
}
