import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { runCalls } from './calls.ts';
import { type Run, runChecks, type SendingOrder } from './checks.ts';
import { runDials } from './dials.ts';
import { predictEndpoint } from './prediction.ts';
import { observe, type Side, type Stage } from './stage.ts';

/** One run of one technique on a stage that was just set; `undefined` when there is nothing to try. */
export type Attempt = (stage: Stage, order: SendingOrder) => Run | undefined;

/** Both tell their own addresses. */
export const tryHost: Attempt = (stage, order) => {
  return runChecks(stage, { a: [stage.a.local], b: [stage.b.local] }, order);
};

/** Who can have a mapping tells it, and nobody tells anything else: so it is the mapping that joins them. */
export const tryMapped: Attempt = (stage, order) => {
  const a = mapPort(stage, stage.a, 'udp');
  const b = mapPort(stage, stage.b, 'udp');
  return a.length + b.length === 0 ? undefined : runChecks(stage, { a, b }, order);
};

/** Both tell what a server sees of them, where that is not their own address. */
export const tryReflexive: Attempt = (stage, order) => {
  const { a, b } = stage;
  const told = { a: reflexive(stage, a), b: reflexive(stage, b) };
  const isNews = [...told.a, ...told.b].some((seen) => !sameEndpoint(seen, a.local) && !sameEndpoint(seen, b.local));
  return isNews ? runChecks(stage, told, order) : undefined;
};

/**
 * The same when who can have a mapping has one: below a NAT that lets others in it opens what stands further inside, although nobody
 * outside can reach what it could tell.
 */
export const tryOpened: Attempt = (stage, order) => {
  const mapped = [stage.a, stage.b].flatMap((side) => mapPort(stage, side, 'udp'));
  return mapped.length === 0 ? undefined : tryReflexive(stage, order);
};

/** Both tell where they will be seen next, where that is not where they have been seen. */
export const tryPredicted: Attempt = (stage, order) => {
  const next = { a: predictEndpoint(stage, stage.a), b: predictEndpoint(stage, stage.b) };
  if (next.a === undefined || next.b === undefined) return undefined;
  const seen = [...reflexive(stage, stage.a), ...reflexive(stage, stage.b)];
  if (![next.a, next.b].some((next) => !seen.some((before) => sameEndpoint(before, next)))) return undefined;
  return runChecks(stage, { a: [next.a], b: [next.b] }, order);
};

/** One side calls the TCP port at which the other listens, by its own address or, with `mapping`, by a mapping of it. */
export const tryCall =
  (caller: 'a' | 'b', mapping: boolean): Attempt =>
  (stage) => {
    const listener = stage[caller === 'a' ? 'b' : 'a'];
    return runCalls(stage, caller, [listener.local, ...(mapping ? mapPort(stage, listener, 'tcp') : [])]);
  };

/** Both dial what a server sees of the other's TCP port. */
export const trySimultaneousOpen: Attempt = (stage, order) => {
  const a = observe(stage, stage.a, stage.servers[0], 'tcp');
  const b = observe(stage, stage.b, stage.servers[0], 'tcp');
  return a === undefined || b === undefined ? undefined : runDials(stage, { a, b }, order);
};

function reflexive(stage: Stage, side: Side): readonly Endpoint[] {
  const seen = observe(stage, side, stage.servers[0], 'udp');
  return seen === undefined ? [] : [seen];
}

/** A mapping of an IPv4 port by the gateway of the side's own network, which asks no gateway above it. */
function mapPort({ arena }: Stage, { location, local }: Side, protocol: 'udp' | 'tcp'): readonly Endpoint[] {
  if (local.family === 6) return [];
  const wish = { protocol, internal: local, lifetime: Number.POSITIVE_INFINITY, description: '' };
  const mapping = arena.gatewayOf(location)?.add(wish, arena.now);
  return mapping === undefined || typeof mapping === 'string' ? [] : [mapping.external];
}
