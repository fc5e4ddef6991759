import { Subject } from 'rxjs';
import { endpoint } from '../../../src/core/endpoint.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import {
  DEFAULT_LIFETIME,
  type GatewayRestart,
  type Mapping,
  type MappingProtocol,
  type MappingVia,
  mappingReach,
  type PortMapper,
  type PortMapperEnvironment,
  type PortMapperFactory,
} from '../../../src/core/port-mapper.ts';

/** A gateway of no network, and the port mappers that talk to it: every call is granted at once, unless the test says otherwise. */
export interface FakeMapper {
  /** To be given to whoever makes port mappers. */
  readonly factory: PortMapperFactory;
  readonly name: MappingVia;
  /** In the order they came, such as `map udp 5000`. */
  readonly calls: string[];
  /** What stands at the gateway, by `udp 5000`: transport and internal port. Give one to two fakes that share their entries. */
  readonly table: Map<string, Mapping>;
  /** Port mappers made that are not closed. */
  readonly open: number;
  /** Awaited before each answer: throws to refuse, waits to be slow. */
  answer: (call: FakeCall) => void | Promise<void>;
  /** Whether an aborted call ends at once and leaves nothing, as it should. Default true. */
  obedient: boolean;
  /** Numeric address of the gateway. Default 192.168.1.1. */
  gateway: string;
  externalAddress: string;
  /** Which external port is given for the one wished for. Default: that one. */
  grantPort: (wished: number) => number;
  /** Seconds granted; absent: as many as wished for. */
  lifetime: number | undefined;
  /** Tells that the gateway has started anew; its table is empty then. */
  restart(): void;
}

export interface FakeCall {
  readonly call: 'map' | 'renew' | 'release';
  readonly protocol: MappingProtocol;
  readonly internalPort: number;
}

/** Where mappings lead to unless the request says it, or the network has an IPv4 interface that is not loopback. */
const LOCAL = '192.168.1.2';

export function fakeMapper(name: MappingVia = 'pcp', table: Map<string, Mapping> = new Map()): FakeMapper {
  const mappers = new Set<Subject<GatewayRestart>>();

  const fake: FakeMapper = {
    name,
    calls: [],
    table,
    get open() {
      return mappers.size;
    },
    answer: () => {},
    obedient: true,
    gateway: '192.168.1.1',
    externalAddress: '203.0.113.9',
    grantPort: (wished) => wished,
    lifetime: undefined,
    restart() {
      table.clear();
      for (const restarts of mappers) restarts.next({ gateway: fake.gateway });
    },
    factory,
  };

  async function answered(call: FakeCall, signal: AbortSignal | undefined): Promise<void> {
    fake.calls.push(`${call.call} ${keyOf(call)}`);
    const aborted = (): TraversalError => new TraversalError('ERR_ABORTED', `${name}: aborted`);
    if (!fake.obedient || signal === undefined) return fake.answer(call);
    if (signal.aborted) throw aborted();
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(aborted()), { once: true });
      Promise.resolve(fake.answer(call)).then(resolve, reject);
    });
  }

  function factory({ network, clock }: PortMapperEnvironment): PortMapper {
    const restarts = new Subject<GatewayRestart>();
    mappers.add(restarts);

    function grant(wish: Pick<Mapping, 'protocol' | 'internal' | 'lifetime'>, externalPort: number): Mapping {
      const lifetime = fake.lifetime ?? wish.lifetime;
      const [now, endless] = [clock.now(), lifetime === 0];
      const mapping: Mapping = {
        via: name,
        protocol: wish.protocol,
        internal: wish.internal,
        external: endpoint(fake.externalAddress, fake.grantPort(externalPort)),
        gateway: fake.gateway,
        lifetime,
        goodUntil: endless ? Number.POSITIVE_INFINITY : now + lifetime * 1000,
        renewAfter: endless ? Number.POSITIVE_INFINITY : now + lifetime * 500,
        reach: mappingReach(fake.externalAddress),
        handle: { nonce: 'fake' },
      };
      table.set(keyOf({ protocol: wish.protocol, internalPort: wish.internal.port }), mapping);
      return mapping;
    }

    return {
      name,
      async map({ protocol, internalPort, externalPort = internalPort, lifetime, internalAddress }, { signal } = {}) {
        await answered({ call: 'map', protocol, internalPort }, signal);
        const own = network.interfaces().find(({ family, internal }) => family === 4 && !internal);
        const internal = endpoint(internalAddress ?? own?.address ?? LOCAL, internalPort);
        return grant({ protocol, internal, lifetime: lifetime ?? DEFAULT_LIFETIME }, externalPort);
      },
      async renew(mapping, { signal } = {}) {
        await answered({ call: 'renew', protocol: mapping.protocol, internalPort: mapping.internal.port }, signal);
        return grant(mapping, mapping.external.port);
      },
      async release({ protocol, internal }, { signal } = {}) {
        const call = { call: 'release', protocol, internalPort: internal.port } as const;
        await answered(call, signal);
        table.delete(keyOf(call));
      },
      restarts$: restarts.asObservable(),
      close() {
        restarts.complete();
        mappers.delete(restarts);
      },
    };
  }

  return fake;
}

function keyOf({ protocol, internalPort }: Pick<FakeCall, 'protocol' | 'internalPort'>): string {
  return `${protocol} ${internalPort}`;
}
