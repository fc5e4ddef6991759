import { DecodeError } from '../../core/errors.ts';

/** The lines before the empty line of an HTTP message (RFC 9112 section 2.1), which SSDP has too. */
export interface MessageHead {
  readonly startLine: string;
  /** Field values by lower-case name; those of one name are joined by `, ` (RFC 9110 section 5.3). */
  readonly fields: ReadonlyMap<string, string>;
}

/** Reads a head without its empty line; a lone LF ends a line too (RFC 9112 section 2.2). Throws `DecodeError` under `where`. */
export function decodeHead(bytes: Uint8Array, where: string): MessageHead {
  const [startLine = '', ...lines] = latin1(bytes).split(/\r?\n/);
  if (lines.length > MAX_FIELDS) throw new DecodeError(`${where}/fields`, `${lines.length}, at most ${MAX_FIELDS}`);
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [start, name] = FIELD_NAME.exec(line) ?? [];
    if (start === undefined || name === undefined || line.includes('\0')) throw new DecodeError(`${where}/field`);
    const value = trimBlanks(line.slice(start.length));
    const key = name.toLowerCase();
    const before = fields.get(key);
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return { startLine, fields };
}

/** Where the head ends and what follows begins, looked for after `from` bytes; `undefined` while the empty line has not come. */
export function findHeadEnd(bytes: Uint8Array, from = 0): { readonly end: number; readonly next: number } | undefined {
  for (let i = bytes.indexOf(LF, from); i >= 0; i = bytes.indexOf(LF, i + 1)) {
    const end = bytes[i - 1] === CR ? i - 1 : i;
    if (bytes[i + 1] === LF) return { end, next: i + 2 };
    if (bytes[i + 1] === CR && bytes[i + 2] === LF) return { end, next: i + 3 };
  }
  return undefined;
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const MAX_FIELDS = 64;
const LF = 0x0a;
const CR = 0x0d;

/** RFC 9110 section 5.1; blanks before the colon are no part of it. */
const FIELD_NAME = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64})[ \t]*:/;

/** Without the blanks around it. A pattern for that would go over a long run of blanks once for each of them. */
function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Space and tab (RFC 9110 section 5.6.3). */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
