import { DecodeError } from '../../core/errors.ts';
import { decodeHead, findHeadEnd, type MessageHead } from './message-head.ts';
import type { ReceiveBuffer } from './receive-buffer.ts';

/** Takes heads of HTTP messages off what was received, and looks at no byte twice. */
export interface HeadReader {
  /** The next head, once it is whole. Throws `DecodeError` as soon as it cannot become one. */
  take(): MessageHead | undefined;
}

/** Bytes that a head has at most, without the empty line. */
export const MAX_HEAD = 8 * 1024;

export function createHeadReader(received: ReceiveBuffer): HeadReader {
  /** Bytes in which no head ends. */
  let searched = 0;
  return {
    take() {
      const found = findHeadEnd(received.bytes, searched);
      const length = found?.end ?? received.bytes.length;
      if (length > MAX_HEAD) throw new DecodeError('http/head', `more than ${MAX_HEAD} bytes`);
      if (found === undefined) {
        searched = Math.max(0, length - LONGEST_END);
        return undefined;
      }
      const head = decodeHead(received.bytes.subarray(0, found.end), 'http');
      received.drop(found.next);
      searched = 0;
      return head;
    },
  };
}

/** Bytes of what ends a head, from the line feed of its last line on, that may be there while the rest has not come: `\n\r`. */
const LONGEST_END = 2;
