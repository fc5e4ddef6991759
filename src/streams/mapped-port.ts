import { defer, finalize, type MonoTypeOperatorFunction, Subscription, tap } from 'rxjs';
import type { Endpoint } from '../core/endpoint.ts';
import { classifyAddress } from '../core/ip-address.ts';
import type { PortLeaseState, PortLeases } from '../core/port-lease.ts';
import type { MappingProtocol, MappingRequest } from '../core/port-mapper.ts';

/** What is wished of the mapping of a socket's port; the socket says which port and protocol. */
export interface MappedPortOptions extends Omit<MappingRequest, 'protocol' | 'internalPort'> {
  /** Keeps the mapping. It stays open: its `close` is awaited by whoever wants to be sure that the gateway has removed the mapping. */
  readonly leases: PortLeases;
  /** Default: the address that the socket is bound to, where that is one. A socket of IPv6 only, bound to all addresses, needs one. */
  readonly internalAddress?: string;
  /**
   * Called with each state, until the socket is closed: `mapped` says where others can reach it. A mapping that is not to be had ends
   * nothing.
   */
  readonly onMapping?: (state: PortLeaseState) => void;
}

/**
 * Keeps the port of each socket that `source` opens mapped until that is unsubscribed, and the mapping is released. Errors:
 * `ERR_USAGE` for a wish out of range or a port that the leases keep already, `ERR_CLOSED` when they are closed.
 */
export function mapPort<Socket extends { readonly local: Endpoint }>(
  protocol: MappingProtocol,
  options: MappedPortOptions,
): MonoTypeOperatorFunction<Socket> {
  return (source) =>
    defer(() => {
      const kept = new Subscription();
      return source.pipe(
        tap(({ local }) => kept.add(keep(protocol, local, options))),
        finalize(() => kept.unsubscribe()),
      );
    });
}

function keep(
  protocol: MappingProtocol,
  { address, port }: Endpoint,
  { leases, onMapping, ...wish }: MappedPortOptions,
): Subscription {
  const lease = leases.keep({
    ...(classifyAddress(address) !== 'unspecified' && { internalAddress: address }),
    ...wish,
    protocol,
    internalPort: port,
  });
  const watching = lease.state$.subscribe((state) => onMapping?.(state));
  return new Subscription(() => {
    watching.unsubscribe();
    void lease.close();
  });
}
