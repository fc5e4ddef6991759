import type { Binding } from '../../core/binding.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import type { Dependence } from '../../core/nat-behavior.ts';

/**
 * One CHANGE-REQUEST test: whether an answer gets in from an endpoint that was never sent to (RFC 5780 section 4.4).
 */
export interface FilteringTest {
  /** The server that was asked. */
  readonly server: Endpoint;
  /** The endpoint that it was asked to answer from. */
  readonly from: Endpoint;
  /** `refused`: an error, or an answer from elsewhere, so the test says nothing. */
  readonly outcome: 'answered' | 'silent' | 'refused';
}

/** Silence only counts from an endpoint that answered when it was asked itself, which `bindings` must show. */
export function classifyFiltering(tests: readonly FilteringTest[], bindings: readonly Binding[]): Dependence {
  const isAlive = (endpoint: Endpoint): boolean => bindings.some(({ server }) => sameEndpoint(server, endpoint));
  const outcome = (sameAddress: boolean): 'passed' | 'filtered' | undefined => {
    const group = tests.filter(({ server, from }) => (server.address === from.address) === sameAddress);
    if (group.some((test) => test.outcome === 'answered')) return 'passed';
    return group.some((test) => test.outcome === 'silent' && isAlive(test.from)) ? 'filtered' : undefined;
  };
  const otherAddress = outcome(false);
  const otherPort = outcome(true);
  if (otherAddress === 'passed') return 'endpoint-independent';
  if (otherPort === 'filtered') return 'address-and-port-dependent';
  return otherAddress === 'filtered' && otherPort === 'passed' ? 'address-dependent' : 'unknown';
}

/** One line for people. */
export function filteringEvidence({ server, from, outcome }: FilteringTest): string {
  return `${formatEndpoint(server)} asked to answer from ${formatEndpoint(from)}: ${outcome}`;
}
