import { DecodeError } from '../core/errors.ts';
import { attribute, decodeMessage, type StunMessage } from '../protocol/stun/index.ts';

/** Whether a packet is QUIC's: its first byte is 64..255, where STUN has 0..3 (RFC 9443 section 3). */
export function isQuicPacket(packet: Uint8Array): boolean {
  return packet.length > 0 && packet[0]! >= 0x40;
}

/** The STUN message that a packet holds; `undefined` when it cannot be decoded. */
export function tryDecodeStun(packet: Uint8Array): StunMessage | undefined {
  try {
    return decodeMessage(packet);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/**
 * The username fragment of the agent that a request is for: USERNAME is `<receiver's ufrag>:<sender's ufrag>` (RFC 8445
 * section 7.2.2). Empty, and so no agent's, in a request without one.
 */
export function requestedUfrag(request: StunMessage): string {
  const username = attribute(request, 'username')?.value ?? '';
  return username.slice(0, Math.max(0, username.indexOf(':')));
}
