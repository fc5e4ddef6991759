import { DecodeError } from '../core/errors.ts';

/** What a client asks for: the head of an HTTP/1.1 request (RFC 9112 section 2.1). */
export interface RequestHead {
  readonly method: string;
  /** As it was sent: path and query. */
  readonly target: string;
  /** By lower-case name; the values of a repeated field are joined by commas (RFC 9110 section 5.3). */
  readonly fields: ReadonlyMap<string, string>;
  /** Bytes up to the end of the empty line. */
  readonly length: number;
}

/** Longest head that is read, in bytes. */
export const MAX_HEAD = 8 * 1024;

/**
 * Reads the head at the start of `bytes`; `undefined` while it is not complete. Strict: no line folding, no bare CR or
 * LF, one Host. Throws `DecodeError`, also for a head of more than {@link MAX_HEAD} bytes (`http/length`).
 */
export function decodeRequestHead(bytes: Buffer): RequestHead | undefined {
  const end = bytes.subarray(0, MAX_HEAD).indexOf(END_OF_HEAD);
  if (end < 0) {
    if (bytes.length >= MAX_HEAD) throw new DecodeError('http/length', `more than ${MAX_HEAD} bytes`);
    return undefined;
  }
  const [requestLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, method, target] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined || target === undefined) throw new DecodeError('http/request-line');
  return { method, target, fields: readFields(lines), length: end + END_OF_HEAD.length };
}

function readFields(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, padded] = FIELD.exec(line) ?? [];
    if (name === undefined || padded === undefined) throw new DecodeError('http/field');
    const key = name.toLowerCase();
    const value = trimBlanks(padded);
    const before = fields.get(key);
    if (key === 'host' && before !== undefined) throw new DecodeError('http/host', 'more than one');
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

/**
 * Without blanks and tabs around it: by a loop, since a pattern for both ends takes time that grows faster than the
 * line.
 */
function trimBlanks(text: string): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

const END_OF_HEAD = '\r\n\r\n';
/** RFC 9112 section 3; only the origin form, and versions 1.0 and 1.1. */
const REQUEST_LINE = /^([A-Z]{1,16}) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/;
/** RFC 9112 section 5: a token, a colon without white space before it, a value without control characters. */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\x20-\x7e\x80-\xff\t]*)$/;
