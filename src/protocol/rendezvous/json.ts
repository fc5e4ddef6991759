import { DecodeError } from '../../core/errors.ts';
import { isPrintable } from '../../core/printable.ts';
import { decodeBase64Url, encodeBase64Url } from './base64url.ts';

/**
 * Strict reading of a JSON object: every field is asked for by name and bounds, fields that nobody asks for are
 * ignored.
 */
export interface JsonFields {
  /** A field that may be absent (or null). */
  has(name: string): boolean;
  /** A string that matches all of `pattern`, which bounds its length. */
  string(name: string, pattern: RegExp): string;
  /** A string of at most `max` characters that `parse` understands. */
  parsed<T>(name: string, max: number, parse: (text: string) => T | undefined): T;
  /** A string of 0..`max` characters, none of them a control character, so that a terminal may show it. */
  text(name: string, max: number): string;
  oneOf<T extends string | boolean>(name: string, values: readonly T[]): T;
  boolean(name: string): boolean;
  integer(name: string, min: number, max: number): number;
  /** Base64url of `min`..`max` bytes. */
  bytes(name: string, min: number, max?: number): Uint8Array;
  object(name: string): JsonFields;
  /** An array of at most `max` items, each read by `read`. */
  list<T>(name: string, max: number, read: (item: JsonFields) => T): T[];
  /** An array of at most `max` plain values; `read` reads each as the field `item`. */
  values<T>(name: string, max: number, read: (holder: JsonFields) => T): T[];
  /** Whatever is there, null too, as `read` takes it; `where` names the field. */
  value<T>(name: string, read: (value: unknown, where: string) => T): T;
}

/** JSON text in which byte strings, Buffers included, are base64url. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, name: string, plain: unknown) {
    const original = this[name];
    return original instanceof Uint8Array ? encodeBase64Url(original) : plain;
  });
}

/** Parses UTF-8 or text. Throws `DecodeError` with `where` when it is not a JSON object. */
export function parseJson(json: string | Uint8Array, where: string): JsonFields {
  let value: unknown;
  try {
    value = JSON.parse(typeof json === 'string' ? json : utf8.decode(json));
  } catch {
    throw new DecodeError(where, 'not JSON');
  }
  return readFields(value, where);
}

function readFields(value: unknown, where: string): JsonFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError(where, 'not an object');
  const field = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  const fail = (name: string, detail: string): never => {
    throw new DecodeError(`${where}/${name}`, detail);
  };
  const string = (name: string): string => {
    const text = field(name);
    return typeof text === 'string' ? text : fail(name, 'not a string');
  };
  const array = (name: string, max: number): unknown[] => {
    const items = field(name);
    if (!Array.isArray(items)) return fail(name, 'not a list');
    return items.length <= max ? items : fail(name, `${items.length} items, at most ${max}`);
  };
  return {
    has: (name) => field(name) !== undefined && field(name) !== null,
    string(name, pattern) {
      const text = string(name);
      return pattern.test(text) ? text : fail(name, `does not match ${pattern}`);
    },
    parsed(name, max, parse) {
      const text = string(name);
      return (text.length <= max ? parse(text) : undefined) ?? fail(name, 'cannot be read');
    },
    text(name, max) {
      const text = string(name);
      return text.length <= max && isPrintable(text) ? text : fail(name, `not a line of at most ${max} characters`);
    },
    oneOf<T extends string | boolean>(name: string, values: readonly T[]) {
      const found = values.find((candidate) => candidate === field(name));
      return found ?? fail(name, `none of ${values.join(', ')}`);
    },
    boolean(name) {
      const flag = field(name);
      return typeof flag === 'boolean' ? flag : fail(name, 'not a boolean');
    },
    integer(name, min, max) {
      const number = field(name);
      const fits = typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max;
      return fits ? number : fail(name, `not an integer of ${min}..${max}`);
    },
    bytes(name, min, max = min) {
      const bytes = decodeBase64Url(string(name)) ?? fail(name, 'not base64url');
      return bytes.length >= min && bytes.length <= max
        ? bytes
        : fail(name, `${bytes.length} bytes, not ${min}..${max}`);
    },
    object: (name) => readFields(field(name), `${where}/${name}`),
    list: (name, max, read) => array(name, max).map((item, i) => read(readFields(item, `${where}/${name}/${i}`))),
    values: (name, max, read) => array(name, max).map((item, i) => read(readFields({ item }, `${where}/${name}/${i}`))),
    value: (name, read) => read(field(name), `${where}/${name}`),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
