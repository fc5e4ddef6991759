import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { type Order, type Run, runChecks } from './checks.ts';
import { runDials } from './dials.ts';
import { predictEndpoint } from './prediction.ts';
import { observe, type Side, type Stage } from './stage.ts';

/** One run of one technique on a stage that was just set; `undefined` when there is nothing to try. */
export type Attempt = (stage: Stage, order: Order) => Run | undefined;

/** Both tell their own addresses. */
export const tryHost: Attempt = (stage, order) => {
  return runChecks(stage, { a: [stage.a.local], b: [stage.b.local] }, order);
};

/** Who can have a mapping tells it, and nobody tells anything else: so it is the mapping that joins them. */
export const tryMapped: Attempt = (stage, order) => {
  const a = mapPort(stage, stage.a);
  const b = mapPort(stage, stage.b);
  return a.length + b.length === 0 ? undefined : runChecks(stage, { a, b }, order);
};

/** Both tell what a server sees of them, where that is not their own address. */
export const tryReflexive: Attempt = (stage, order) => {
  const { a, b } = stage;
  const told = { a: reflexive(stage, a), b: reflexive(stage, b) };
  const isNews = [...told.a, ...told.b].some((seen) => !sameEndpoint(seen, a.local) && !sameEndpoint(seen, b.local));
  return isNews ? runChecks(stage, told, order) : undefined;
};

/** Both tell where they will be seen next, where that is not where they have been seen. */
export const tryPredicted: Attempt = (stage, order) => {
  const next = { a: predictEndpoint(stage, stage.a), b: predictEndpoint(stage, stage.b) };
  if (next.a === undefined || next.b === undefined) return undefined;
  const seen = [...reflexive(stage, stage.a), ...reflexive(stage, stage.b)];
  if (![next.a, next.b].some((next) => !seen.some((before) => sameEndpoint(before, next)))) return undefined;
  return runChecks(stage, { a: [next.a], b: [next.b] }, order);
};

/** Both dial what a server sees of the other's TCP port. */
export const tryTcp: Attempt = (stage, order) => {
  const a = observe(stage, stage.a, stage.servers[0], 'tcp');
  const b = observe(stage, stage.b, stage.servers[0], 'tcp');
  return a === undefined || b === undefined ? undefined : runDials(stage, { a, b }, order);
};

function reflexive(stage: Stage, side: Side): readonly Endpoint[] {
  const seen = observe(stage, side, stage.servers[0], 'udp');
  return seen === undefined ? [] : [seen];
}

/** A mapping on each NAT that makes them, from the inside out: the outermost one is worth telling. */
function mapPort({ arena }: Stage, { location, local }: Side): readonly Endpoint[] {
  let external: Endpoint | undefined;
  for (const nat of arena.mappingNats(location)) {
    const mapping = nat.explicit.add(
      { protocol: 'udp', internal: external ?? local, lifetime: Number.POSITIVE_INFINITY },
      arena.now,
    );
    if (typeof mapping === 'string') break;
    external = mapping.external;
  }
  return external === undefined ? [] : [external];
}
