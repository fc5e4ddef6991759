import type { RatedPath } from './connection-events.ts';

/**
 * The path to send on: direct before relayed, then by preference; the earlier one wins a tie, so that nothing flaps.
 */
export function preferredPath(paths: readonly RatedPath[]): RatedPath | undefined {
  return paths.reduce<RatedPath | undefined>((best, path) => (best && !isBetter(path, best) ? best : path), undefined);
}

function isBetter(a: RatedPath, b: RatedPath): boolean {
  if (a.info.kind !== b.info.kind) return a.info.kind === 'direct';
  return a.preference > b.preference;
}
