import { sameEndpoint } from '../core/endpoint.ts';
import type { Mapping, MappingVia } from '../core/port-mapper.ts';

/** Whether two mappings are one entry of their gateway's table, whoever asked for it. */
export function isSameEntry(a: Mapping, b: Mapping): boolean {
  return isSamePort(a, b) && sameEndpoint(a.external, b.external);
}

/** Whether two mappings lead from one gateway to one port of this host. */
export function isSamePort(a: Mapping, b: Mapping): boolean {
  return a.gateway === b.gateway && a.protocol === b.protocol && sameEndpoint(a.internal, b.internal);
}

/** Whether the gateway gave up `before` when it granted `after`, so that ending the one would end the other. */
export function isReplacedBy(before: Mapping, after: Mapping): boolean {
  return (
    isSameEntry(before, after) || (before.via === after.via && BY_PORT.has(before.via) && isSamePort(before, after))
  );
}

/** To these protocols a mapping is the port that it leads to, and there is one of each. */
const BY_PORT: ReadonlySet<MappingVia> = new Set(['pcp', 'nat-pmp']);
