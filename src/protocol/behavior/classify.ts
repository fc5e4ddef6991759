import type { Binding } from '../../core/binding.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import type { Dependence, NatBehavior } from '../../core/nat-behavior.ts';
import { classifyFiltering, type FilteringTest, filteringEvidence } from './filtering.ts';

/**
 * What the observations of one socket say of the NAT in front of it (RFC 4787 sections 4.1 and 5, RFC 5780 section 4).
 * Of several bindings from one server the last counts. `locals`: the endpoints that the socket has on this host.
 */
export function classify(
  bindings: readonly Binding[],
  locals: readonly Endpoint[],
  tests: readonly FilteringTest[] = [],
): NatBehavior {
  const latest = [...new Map(bindings.map((binding) => [formatEndpoint(binding.server), binding])).values()];
  const translated = classifyTranslation(latest, locals);
  return {
    mapping: translated === false ? 'endpoint-independent' : classifyMapping(latest),
    filtering: classifyFiltering(tests, latest),
    portPreservation: latest.length === 0 ? 'unknown' : latest.every(({ mapped, local }) => mapped.port === local.port),
    translated,
    evidence: [...latest.map(bindingEvidence), ...tests.map(filteringEvidence)],
  };
}

/** No translation where a server saw one of our own endpoints. */
function classifyTranslation(bindings: readonly Binding[], locals: readonly Endpoint[]): boolean | 'unknown' {
  if (bindings.length === 0 || locals.length === 0) return 'unknown';
  return !bindings.some(({ mapped }) => locals.some((local) => sameEndpoint(local, mapped)));
}

/**
 * Two servers that differ in the port alone tell whether the mapping depends on the port; two with different addresses
 * tell whether it depends on anything. One of the two observations alone may leave two possibilities: then it is
 * unknown.
 */
function classifyMapping(bindings: readonly Binding[]): Dependence {
  const pairs = bindings.flatMap((a, i) => bindings.slice(i + 1).map((b) => ({ a, b })));
  const sameAddress = pairs.filter(({ a, b }) => a.server.address === b.server.address);
  const otherAddress = pairs.filter(({ a, b }) => a.server.address !== b.server.address);
  const changed = ({ a, b }: { a: Binding; b: Binding }): boolean => !sameEndpoint(a.mapped, b.mapped);

  if (sameAddress.some(changed)) return 'address-and-port-dependent';
  if (otherAddress.some(changed)) return sameAddress.length > 0 ? 'address-dependent' : 'unknown';
  return otherAddress.length > 0 ? 'endpoint-independent' : 'unknown';
}

function bindingEvidence({ server, mapped, local }: Binding): string {
  return `${formatEndpoint(server)} sees ${formatEndpoint(local)} as ${formatEndpoint(mapped)}`;
}
