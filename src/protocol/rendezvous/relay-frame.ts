/**
 * A datagram of a session on its way through the rendezvous server, as a WebSocket binary frame:
 * ```
 *  type      1   0x01
 *  session  16
 *  datagram  n
 * ```
 * The server hands the frame on as it is.
 */
export function encodeRelayFrame(session: Uint8Array, datagram: Uint8Array): Uint8Array {
  const frame = new Uint8Array(RELAY_HEADER + datagram.length);
  frame[0] = TYPE_DATAGRAM;
  frame.set(session, 1);
  frame.set(datagram, RELAY_HEADER);
  return frame;
}

/** `undefined` for a frame of another type, a cut one, or one without a datagram. The parts are views of `frame`. */
export function decodeRelayFrame(frame: Uint8Array): { session: Uint8Array; datagram: Uint8Array } | undefined {
  if (frame.length <= RELAY_HEADER || frame[0] !== TYPE_DATAGRAM) return undefined;
  return { session: frame.subarray(1, RELAY_HEADER), datagram: frame.subarray(RELAY_HEADER) };
}

const TYPE_DATAGRAM = 0x01;
const RELAY_HEADER = 17;
