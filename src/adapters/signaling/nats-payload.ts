/**
 * What a NATS message holds: a frame of the rendezvous protocol, told apart by its first byte, a sign of life (nothing
 * at all), or the end of what was between the two.
 * ```
 *  0x7b  text frame: JSON, which begins with a brace
 *  0x01  binary frame: a relayed datagram
 *  0x00  the end, alone
 * ```
 */
export type NatsPayload =
  | { readonly type: 'frame'; readonly frame: string | Uint8Array }
  | { readonly type: 'alive' }
  | { readonly type: 'end' };

/** `undefined` for what is none of these. */
export function readPayload(payload: Uint8Array): NatsPayload | undefined {
  switch (payload[0]) {
    case undefined:
      return { type: 'alive' };
    case END[0]:
      return payload.length === 1 ? { type: 'end' } : undefined;
    case DATAGRAM:
      return { type: 'frame', frame: payload };
    case BRACE:
      return { type: 'frame', frame: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString() };
    default:
      return undefined;
  }
}

export const ALIVE = new Uint8Array(0);
export const END = Uint8Array.of(0x00);

const DATAGRAM = 0x01;
const BRACE = 0x7b;
