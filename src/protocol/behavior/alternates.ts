import type { Binding } from '../../core/binding.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';

/**
 * The server's three other endpoints: its other address and port in every combination (RFC 5780 section 4.3), where it
 * named any in OTHER-ADDRESS. They are of the server's own family and kind, so that a server on the internet cannot
 * send us into somebody's private network. Where only the address or the port is another, some of them coincide.
 */
export function alternates({ server, other }: Binding): readonly Endpoint[] {
  if (other === undefined || other.port === 0 || other.family !== server.family) return [];
  if (classifyAddress(other.address) !== classifyAddress(server.address)) return [];
  return [{ ...other, port: server.port }, other, { ...server, port: other.port }];
}

/** The server's OTHER-ADDRESS, where it differs in both address and port: what a test of filtering needs. */
export function otherAddress(binding: Binding): Endpoint | undefined {
  const { server } = binding;
  return alternates(binding).find(({ address, port }) => address !== server.address && port !== server.port);
}
