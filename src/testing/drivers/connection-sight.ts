import type { PathInfo } from '../../core/path.ts';
import type { ConnectionState } from '../../index.ts';
import type { Sight } from '../model/sight.ts';

/** What a user sees of a connection in that state of its chart. */
export function sightOf(state: ConnectionState, path: Pick<PathInfo, 'kind'> | undefined): Sight {
  const name = typeof state === 'string' ? state : Object.keys(state)[0];
  switch (name) {
    case 'connected':
      return path?.kind ?? 'recovering';
    case 'recovering':
    case 'closed':
    case 'failed':
      return name;
    default:
      return 'traversing';
  }
}

/** Whether the path that is sent on has fallen silent, or is not believed. */
export function isSuspect(state: ConnectionState): boolean {
  const connected = typeof state === 'object' && 'connected' in state ? state.connected : undefined;
  return typeof connected === 'object' && connected.liveness === 'suspect';
}
