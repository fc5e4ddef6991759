/**
 * How relays may be used. `relay-first`: at once, until a direct path stands; `direct-only`: never for data;
 * `relay-only`: always, and no host, reflexive or mapped candidate is gathered or told (it hides addresses).
 */
export type Policy = 'relay-first' | 'direct-only' | 'relay-only';

export const policies: readonly Policy[] = ['relay-first', 'direct-only', 'relay-only'];

/** What two sides can do together; `undefined` when one insists on a relay and the other refuses any. */
export function commonPolicy(mine: Policy, theirs: Policy): Policy | undefined {
  if (mine === theirs || theirs === 'relay-first') return mine;
  return mine === 'relay-first' ? theirs : undefined;
}
