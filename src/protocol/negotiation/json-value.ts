import { DecodeError } from '../../core/errors.ts';
import type { Json } from '../../core/strategy.ts';

/** Most bytes of a value's text, and levels of lists and objects inside each other. */
const BOUNDS = { bytes: 1_000, depth: 8 };

/** The value itself when it is JSON of at most 1,000 bytes, 8 levels deep. Throws `DecodeError`. */
export function readJson(value: unknown, where: string): Json {
  const fault = jsonFault(value);
  if (fault !== undefined) throw new DecodeError(where, fault);
  return value as Json;
}

/**
 * Why a value is not JSON within the bounds; `undefined` when it is. What JSON does not know, such as `undefined`, a number that is not finite or
 * an object of a class, is none. It names the place.
 */
export function jsonFault(value: unknown): string | undefined {
  const fault = shapeFault(value, BOUNDS.depth);
  if (fault !== undefined) return fault;
  const length = Buffer.byteLength(JSON.stringify(value));
  return length > BOUNDS.bytes ? `${length} bytes, at most ${BOUNDS.bytes}` : undefined;
}

/** `where`: the members on the way to the value, as in `at[0].port`. */
function shapeFault(value: unknown, depth: number, where = ''): string | undefined {
  const at = where === '' ? '' : `${where}: `;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${at}${value} is not JSON`;
  if (typeof value !== 'object' || !isPlain(value)) return `${at}not JSON`;
  if (depth === 0) return `deeper than ${BOUNDS.depth} levels`;
  const members = Array.isArray(value)
    ? Array.from(value, (member: unknown, i) => [`${where}[${i}]`, member] as const)
    : Object.entries(value).map(([name, member]) => [where === '' ? name : `${where}.${name}`, member] as const);
  for (const [place, member] of members) {
    const fault = shapeFault(member, depth - 1, place);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
