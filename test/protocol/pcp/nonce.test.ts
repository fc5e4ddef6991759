import { describe, expect, it } from 'vitest';
import { PCP_NONCE_LENGTH, pcpMappingNonce } from '../../../src/protocol/pcp/index.ts';

describe('the Mapping Nonce', () => {
  const secret = new Uint8Array(32).fill(1);
  const of = { gateway: '192.0.2.1', protocol: 'udp', internalPort: 5000 } as const;
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it('has 96 bits and is the same for the same mapping and secret', () => {
    expect(pcpMappingNonce(secret, of)).toHaveLength(PCP_NONCE_LENGTH);
    expect(pcpMappingNonce(secret, of)).toEqual(pcpMappingNonce(Uint8Array.from(secret), { ...of }));
  });

  it('differs with gateway, protocol, port and secret', () => {
    const nonces = [
      pcpMappingNonce(secret, of),
      pcpMappingNonce(secret, { ...of, gateway: '192.0.2.10' }),
      pcpMappingNonce(secret, { ...of, protocol: 'tcp' }),
      pcpMappingNonce(secret, { ...of, internalPort: 5001 }),
      pcpMappingNonce(new Uint8Array(32).fill(2), of),
    ];
    expect(new Set(nonces.map(text)).size).toBe(nonces.length);
  });
});
