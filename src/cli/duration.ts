import { TraversalError } from '../core/errors.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** ms of `90s`, `30m`, `24h`, `7d`, `500ms`; a bare number is seconds. Throws `ERR_USAGE`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim());
  const ms = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] ?? 's']!;
  if (!(ms > 0) || ms > 365 * UNITS.d!) {
    throw new TraversalError('ERR_USAGE', `"${text}" is no duration: write 90s, 30m, 24h or 7d (at most 365d)`);
  }
  return ms;
}
