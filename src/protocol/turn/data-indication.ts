import type { Endpoint } from '../../core/endpoint.ts';
import { attribute, encodeMessage, type StunMessage } from '../stun/index.ts';
import type { DATA, SEND } from './method.ts';

/** Bytes of data that a Send or Data indication has room for within a UDP datagram over IPv4. */
export const MAX_DATA = 65_456;

/** Data and whose it is: to the peer in a Send indication, of the peer in a Data indication. */
export interface PeerData {
  readonly peer: Endpoint;
  readonly data: Uint8Array;
}

/** `data` has at most {@link MAX_DATA} bytes (RFC 8656 sections 11.1 and 11.3). */
export function encodeIndication(
  method: typeof SEND | typeof DATA,
  { peer, data }: PeerData,
  transactionId: Uint8Array,
): Uint8Array {
  return encodeMessage({
    class: 'indication',
    method,
    transactionId,
    attributes: [
      { type: 'xor-peer-address', endpoint: peer },
      { type: 'data', value: data },
    ],
  });
}

/**
 * What an indication carries; `undefined` when it lacks a part, or has one that must be understood and is not (RFC 8489 section
 * 6.3.2). No one's DF bit can be set here, so that DONT-FRAGMENT is not understood (RFC 8656 section 11.2).
 */
export function readIndication(message: StunMessage): PeerData | undefined {
  const peer = attribute(message, 'xor-peer-address')?.endpoint;
  const data = attribute(message, 'data')?.value;
  const isUnderstood = message.unknownRequired.length === 0 && attribute(message, 'dont-fragment') === undefined;
  return peer === undefined || data === undefined || !isUnderstood ? undefined : { peer, data };
}
