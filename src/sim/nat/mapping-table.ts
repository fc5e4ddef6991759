import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { Filter } from './filter.ts';
import { type Flow, Mapping } from './mapping.ts';
import type { NatRules } from './nat-spec.ts';
import { Session, type TransportPacket } from './session.ts';

type Protocol = TransportPacket['protocol'];

/** The mappings of a NAT and the flows on them. Whatever has expired is as if it were not there. */
export class MappingTable {
  readonly #rules: NatRules;
  readonly #mappings = new Set<Mapping>();
  readonly #byScope = new Map<string, Mapping>();
  /** Of one external endpoint, the latest last. */
  readonly #byExternal = new Map<string, Mapping[]>();
  readonly #byInternalFlow = new Map<string, Flow>();
  /** Of several flows with the same ends on the outside (overloading), the latest. */
  readonly #byExternalFlow = new Map<string, Flow>();
  /** With `filterScope: 'internal-endpoint'`, by internal endpoint. */
  readonly #filters = new Map<string, Filter>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(rules: NatRules) {
    this.#rules = rules;
  }

  /** Live mappings, the oldest first. */
  *mappings(now: number): Iterable<Mapping> {
    for (const mapping of this.#mappings) if (mapping.isAlive(now)) yield mapping;
  }

  /** Whether there is no room for another flow or mapping, even after those that have expired are swept out. */
  isFull(now: number): boolean {
    const isFull = (): boolean => Math.max(this.#byInternalFlow.size, this.#mappings.size) >= this.#rules.capacity;
    if (isFull() && now > this.#sweptAt) this.#sweep(now);
    return isFull();
  }

  mappingOf(scope: string, now: number): Mapping | undefined {
    const mapping = this.#byScope.get(scope);
    return mapping?.isAlive(now) ? mapping : undefined;
  }

  /** Live mappings of an external endpoint, the latest last. */
  mappingsAt(protocol: Protocol, external: Endpoint, now: number): readonly Mapping[] {
    return this.#byExternal.get(key(protocol, external))?.filter((mapping) => mapping.isAlive(now)) ?? [];
  }

  /** The flow between an internal and a remote endpoint, as the inside sees it. */
  flow(protocol: Protocol, internal: Endpoint, seenAs: Endpoint, now: number): Flow | undefined {
    return alive(this.#byInternalFlow.get(key(protocol, internal, seenAs)), now);
  }

  /** The flow between an external and a remote endpoint. */
  flowAt(protocol: Protocol, external: Endpoint, remote: Endpoint, now: number): Flow | undefined {
    return alive(this.#byExternalFlow.get(key(protocol, external, remote)), now);
  }

  /** Makes a mapping, for the caller to open a flow on or to lease. */
  add(protocol: Protocol, internal: Endpoint, external: Endpoint, now: number): Mapping {
    if (now - this.#sweptAt >= SWEEP_INTERVAL) this.#sweep(now);
    const mapping = new Mapping(protocol, internal, external, this.#filterOf(key(protocol, internal)));
    this.#mappings.add(mapping);
    const at = key(protocol, external);
    const others = this.#byExternal.get(at);
    if (others === undefined) this.#byExternal.set(at, [mapping]);
    else others.push(mapping);
    return mapping;
  }

  /** Lets flows find the mapping by what they have in common. */
  enter(scope: string, mapping: Mapping): void {
    this.#byScope.set(scope, mapping);
    mapping.scopes.add(scope);
  }

  /** Opens a flow on a mapping, in the place of one that has expired. */
  open(mapping: Mapping, remote: Endpoint, now: number, seenAs = remote): Flow {
    const before = this.#byInternalFlow.get(key(mapping.protocol, mapping.internal, seenAs));
    if (before !== undefined) this.#removeFlow(before);
    const flow = { mapping, remote, seenAs, session: new Session(this.#rules, mapping.protocol, now) };
    mapping.flows.add(flow);
    mapping.filter.add(remote, flow.session);
    this.#byInternalFlow.set(key(mapping.protocol, mapping.internal, seenAs), flow);
    this.claim(flow);
    return flow;
  }

  /** Makes the flow the one that packets from outside with its ends belong to. */
  claim(flow: Flow): void {
    this.#byExternalFlow.set(key(flow.mapping.protocol, flow.mapping.external, flow.remote), flow);
  }

  remove(mapping: Mapping): void {
    for (const flow of mapping.flows) this.#removeFlow(flow);
    for (const scope of mapping.scopes) if (this.#byScope.get(scope) === mapping) this.#byScope.delete(scope);
    const at = key(mapping.protocol, mapping.external);
    const others = this.#byExternal.get(at)?.filter((other) => other !== mapping) ?? [];
    if (others.length > 0) this.#byExternal.set(at, others);
    else this.#byExternal.delete(at);
    const of = key(mapping.protocol, mapping.internal);
    if (mapping.filter.isEmpty && this.#filters.get(of) === mapping.filter) this.#filters.delete(of);
    this.#mappings.delete(mapping);
  }

  clear(): void {
    for (const mapping of this.#mappings) this.remove(mapping);
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const mapping of this.#mappings) {
      if (!mapping.isAlive(now)) this.remove(mapping);
      else for (const flow of mapping.flows) if (!flow.session.isAlive(now)) this.#removeFlow(flow);
    }
  }

  #removeFlow(flow: Flow): void {
    const { mapping, remote, seenAs, session } = flow;
    mapping.flows.delete(flow);
    mapping.filter.remove(remote, session);
    this.#byInternalFlow.delete(key(mapping.protocol, mapping.internal, seenAs));
    const outside = key(mapping.protocol, mapping.external, remote);
    if (this.#byExternalFlow.get(outside) === flow) this.#byExternalFlow.delete(outside);
  }

  #filterOf(internal: string): Filter {
    if (this.#rules.filterScope === 'mapping') return new Filter();
    const filter = this.#filters.get(internal) ?? new Filter();
    this.#filters.set(internal, filter);
    return filter;
  }
}

function alive(flow: Flow | undefined, now: number): Flow | undefined {
  return flow?.session.isAlive(now) ? flow : undefined;
}

function key(protocol: Protocol, own: Endpoint, remote?: Endpoint): string {
  const end = `${protocol} ${formatEndpoint(own)}`;
  return remote === undefined ? end : `${end} ${formatEndpoint(remote)}`;
}

/** ms of virtual time between looks for what has expired, which are taken as mappings are made. */
const SWEEP_INTERVAL = 1000;
