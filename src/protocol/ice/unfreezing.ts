import { type CandidatePair, pairFoundation } from './candidate-pair.ts';

/**
 * Sets free the pairs that need not wait for others of their foundation, from pairs in order of priority: the best of
 * each foundation that has been left alone so far, and all of one that has succeeded (RFC 8445 sections 6.1.2.6 and
 * 7.2.5.3.3, for pairs that come late RFC 8838 section 12).
 */
export function unfreeze(ordered: readonly CandidatePair[]): void {
  for (const [best, alike] of frozenByFoundation(ordered)) {
    if (alike.some(({ state }) => state === 'succeeded')) {
      for (const pair of alike) if (pair.state === 'frozen') pair.state = 'waiting';
    } else if (alike.every(({ state }) => state === 'frozen')) {
      best.state = 'waiting';
    }
  }
}

/**
 * When no pair is waiting: sets free the best frozen pair of each foundation that is not being checked (RFC 8445
 * section 6.1.4.2).
 */
export function unfreezeNext(ordered: readonly CandidatePair[]): void {
  for (const [best, alike] of frozenByFoundation(ordered)) {
    if (!alike.some(({ state }) => state === 'in-progress')) best.state = 'waiting';
  }
}

/** The best frozen pair of each foundation that has one, with all pairs of that foundation. */
function frozenByFoundation(ordered: readonly CandidatePair[]): (readonly [CandidatePair, readonly CandidatePair[]])[] {
  if (!ordered.some(({ state }) => state === 'frozen')) return [];
  const foundations = new Map<string, CandidatePair[]>();
  for (const pair of ordered) {
    const foundation = pairFoundation(pair);
    const alike = foundations.get(foundation);
    if (alike === undefined) foundations.set(foundation, [pair]);
    else alike.push(pair);
  }
  return [...foundations.values()].flatMap((alike) => {
    const best = alike.find(({ state }) => state === 'frozen');
    return best === undefined ? [] : [[best, alike] as const];
  });
}
