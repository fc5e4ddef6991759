import type { CoverageReport } from '../../src/testing/index.ts';

/**
 * What no path reaches, in the words of `CoverageReport.missing`, and why. All states and transitions are reached; these are guards that
 * always hold where they are asked.
 */
export const UNREACHED: Readonly<Record<string, string>> = {
  'connection: its guard never failed: connection.traversing: signaling.failed [noPath] to connection.failed':
    'a server that fails after it was reached is waited for, unless it says that there is no point, which ours never do',
  'connection: its guard never failed: connection.traversing: peer.missed [peerGone] to connection.failed':
    'the other side would have to go and be back within 3 s, in the moment between path and session',
  'connection: its guard never failed: connection.connected.liveness.fresh: path.suspect [isCurrent] to connection.connected.liveness.suspect':
    'the path table tells this of the path that is sent on alone',
  'connection: its guard never failed: connection.connected.liveness.suspect: path.alive [isCurrent] to connection.connected.liveness.fresh':
    'the path table tells this of the path that is sent on alone',
  'punch: its guard never failed: punch.race.race.waiting: always [isNext] to punch.race.race.next':
    'of two, the second never has to wait for the first to start',
  'punch: its guard never failed: punch.race.tcp-simultaneous-open.waiting: always [isNext] to punch.race.tcp-simultaneous-open.next':
    'of two, the second never has to wait for the first to start',
  'fallback: its guard never failed: fallback.fallback.turn.waiting: always [isNext] to fallback.fallback.turn.next':
    'of two, the second never has to wait for the first to start',
  'map: its guard never failed: map.race.pcp.waiting: always [isNext] to map.race.pcp.next':
    'one strategy at most is put before it, which starts at once',
};

/** What is missing and not stated above, and what is stated there and not missing. */
export function surprises({ missing }: Pick<CoverageReport, 'missing'>): readonly string[] {
  return [
    ...missing.filter((part) => !Object.hasOwn(UNREACHED, part)),
    ...Object.keys(UNREACHED)
      .filter((part) => !missing.includes(part))
      .map((part) => `stated in test/model/unreached.ts, and not so: ${part}`),
  ];
}
