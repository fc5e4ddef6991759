import { createHmac } from 'node:crypto';
import type { MappingProtocol } from '../../core/port-mapper.ts';
import { PCP_NONCE_LENGTH } from './payload.ts';

/**
 * The Mapping Nonce of one mapping: the same for the same secret, so that a program started again can renew or remove what an
 * earlier run left, and not to be guessed without it (RFC 6887 section 11.2).
 */
export function pcpMappingNonce(
  secret: Uint8Array,
  { gateway, protocol, internalPort }: { gateway: string; protocol: MappingProtocol; internalPort: number },
): Uint8Array {
  const digest = createHmac('sha256', secret)
    .update(`sallyport/1 pcp nonce ${gateway} ${protocol} ${internalPort}`)
    .digest();
  return Uint8Array.from(digest.subarray(0, PCP_NONCE_LENGTH));
}
