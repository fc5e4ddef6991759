import { EMPTY, NEVER } from 'rxjs';
import type { Signaling } from '../../src/core/signaling.ts';

/** A carrier over which nothing comes, and that does nothing but what `changes` say. */
export function inertSignaling(changes: Partial<Signaling> = {}): Signaling {
  return {
    name: 'test',
    status$: NEVER,
    events$: EMPTY,
    register: () => {},
    lookup: () => {},
    offer: () => {},
    send: () => true,
    relay: () => undefined,
    leave: () => {},
    close: () => {},
    ...changes,
  };
}
