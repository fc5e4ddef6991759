/**
 * Follows the frames in a client's bytes (RFC 6455 section 5.2), to know what has been begun and is not complete. `ws`
 * judges them.
 */
export interface MessageMeter {
  push(chunk: Uint8Array): void;
  /** Bytes of a message that is not complete; of its frames' headers, those that have come. */
  readonly begun: number;
  /** Messages that are complete. */
  readonly complete: number;
}

export function createMessageMeter(): MessageMeter {
  /** The header of the frame that is coming in. */
  const header = new Uint8Array(MAX_HEADER);
  let headerLength = 0;
  /** Payload of this frame that is still to come, once its header is there. */
  let missing: number | undefined;
  let begun = 0;
  let complete = 0;

  const isControl = (): boolean => (header[0]! & 0x08) !== 0;

  function endFrame(): void {
    if (!isControl() && (header[0]! & FIN) !== 0) {
      complete++;
      begun = 0;
    }
    headerLength = 0;
    missing = undefined;
  }

  function pushHeader(byte: number): void {
    header[headerLength++] = byte;
    if (!isControl()) begun++;
    if (headerLength < 2 || headerLength < lengthOfHeader(header)) return;
    missing = payloadLength(header);
    if (missing === 0) endFrame();
  }

  return {
    get begun() {
      return begun;
    },
    get complete() {
      return complete;
    },
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (missing === undefined) {
          pushHeader(chunk[at++]!);
          continue;
        }
        const length = Math.min(missing, chunk.length - at);
        at += length;
        missing -= length;
        if (!isControl()) begun += length;
        if (missing === 0) endFrame();
      }
    },
  };
}

const FIN = 0x80;
/** Two bytes, a length of up to eight, a mask of four. */
const MAX_HEADER = 14;

function lengthOfHeader(header: Uint8Array): number {
  const short = header[1]! & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((header[1]! & 0x80) === 0 ? 0 : 4);
}

function payloadLength(header: Uint8Array): number {
  const short = header[1]! & 0x7f;
  const view = new DataView(header.buffer);
  if (short === 126) return view.getUint16(2);
  return short === 127 ? Number(view.getBigUint64(2)) : short;
}
