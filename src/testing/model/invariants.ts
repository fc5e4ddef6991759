import type { PathKind } from '../../core/path.ts';
import type { Invariant, Moment } from './invariant.ts';
import { SIDES, type Side, type SideObservation } from './sight.ts';

/** A side establishes one connection for one dial, and in a race of strategies one wins. */
export const atMostOneWinner: Invariant = {
  name: 'at most one winner',
  check: (moment) =>
    ofSides(moment, ({ established, winners = 0 }) => {
      if (established > 1) return `established ${established} connections for one dial`;
      return winners > 1 ? `had ${winners} winners in one run of a machine` : undefined;
    }),
};

/** Peers that were closed have no socket, no timer and no subscription left. */
export const nothingLeft: Invariant = {
  name: 'nothing left',
  check({ remains = { sockets: 0, timers: 0, subscriptions: 0 } }) {
    const left = Object.entries(remains).filter(([, count]) => count !== 0);
    return left.length === 0 ? undefined : `left: ${left.map(([what, count]) => `${count} ${what}`).join(', ')}`;
  },
};

/**
 * What a side sends is bounded: what the strategies of its flow may send, in every round of punching, and some packets a second for
 * checks, consent, keeping mappings open, and a user who says next to nothing.
 */
export const withinBudget: Invariant = {
  name: 'packets within budget',
  check: (moment) =>
    ofSides(moment, ({ sent = 0 }) => {
      const budget = budgetOf(moment);
      return sent > budget ? `sent ${sent} datagrams where ${budget} are enough` : undefined;
    }),
};

/** No direct path where the oracle knows none, or the policy wants none; and none over a relay where the policy forbids it. */
export const nothingImpossible: Invariant = {
  name: 'nothing impossible',
  check: (moment) =>
    ofSides(moment, ({ sight }) => {
      const { direct, withoutUdp, policy } = moment.model.input;
      const isImpossible = direct === 'impossible' && withoutUdp === 'impossible';
      if (sight === 'direct' && isImpossible) return 'is direct where the oracle says that nothing joins the two';
      if (sight === 'direct' && policy === 'relay-only') return 'is direct under the policy relay-only';
      return sight === 'relayed' && policy === 'direct-only' ? 'is relayed under the policy direct-only' : undefined;
    }),
};

/** Where a relay is allowed, and the server was there all the time, a pair at rest is connected. */
export const fallbackReachable: Invariant = {
  name: 'fallback reachable',
  check(moment) {
    const { snapshot, atRest, model } = moment;
    const { server, listener, lately } = snapshot.context;
    const isExpected =
      atRest && snapshot.status === 'active' && !snapshot.matches('idle') && !snapshot.matches('unsure');
    if (!isExpected || !model.input.relay) return undefined;
    if (server === 'down' || listener !== 'running' || lately.outage !== 'never') return undefined;
    return ofSides(moment, ({ sight }) =>
      sight === 'direct' || sight === 'relayed' ? undefined : `is ${sight} where a relay is there`,
    );
  },
};

/** No connection is under way for longer than its bounds say, and none doubts its path for longer than it takes to lose it. */
export const progress: Invariant = {
  name: 'progress',
  check(moment) {
    const { bounds } = moment.model.driver;
    const { at } = moment.observation;
    return ofSides(moment, ({ sight, since, path, suspectSince = at }) => {
      // A program that was killed in the middle of a doubt keeps it for ever.
      if (sight === 'gone') return undefined;
      if (at - suspectSince > DOUBT[path?.kind ?? 'direct'])
        return `has doubted its path for ${Math.round(at - suspectSince)} ms`;
      if (sight !== 'traversing' && sight !== 'recovering') return undefined;
      const lasted = at - since;
      return lasted > bounds[sight] ? `has been ${sight} for ${Math.round(lasted)} ms` : undefined;
    });
  },
};

/** While a connection stands, its streams are whole, whatever path carries them. */
export const streamsWhole: Invariant = {
  name: 'streams whole',
  check({ snapshot, observation: { broken, dialer } }) {
    // The side that closes ends its streams first, and waits for the other.
    const isOver = snapshot.matches('closed') || dialer.sight === 'closed' || dialer.sight === 'failed';
    return broken === undefined || isOver
      ? undefined
      : `the dialer is ${dialer.sight} and its stream has ended: ${broken}`;
  },
};

/** A dial that can come to nothing says so by itself: it runs into its timeout only where it may be waiting for somebody who is away. */
export const failsByItself: Invariant = {
  name: 'fails by itself',
  check({ snapshot, observation }) {
    const { listener, lately } = snapshot.context;
    const isUndisturbed = lately.outage === 'never' && lately.blackout !== 'partly' && !lately.moved;
    if (!isUndisturbed || listener === 'replaced' || snapshot.matches('unsure')) return undefined;
    return observation.dialer.code === 'ERR_TIMEOUT' ? 'the dialer has waited in vain for its timeout' : undefined;
  },
};

/** Where there is a relay as well, a path that falls silent stops nobody: what is said goes out on every path until one answers. */
export const nobodyWaits: Invariant = {
  name: 'nobody waits',
  check({ model, snapshot, observation: { waiting = 0, dialer, listener } }) {
    const { server, link, lately, listener: program } = snapshot.context;
    const isCarried = [dialer, listener].every(({ sight }) => sight === 'direct' || sight === 'relayed');
    const isCalm = server === 'up' && link === 'clean' && lately.outage === 'never' && program === 'running';
    if (!isCarried || !isCalm || !model.input.relay || model.input.policy === 'direct-only') return undefined;
    return waiting > SILENCE ? `the dialer has waited ${Math.round(waiting)} ms for an answer` : undefined;
  },
};

/** All of them, by which every run is judged unless it is told otherwise. */
export const invariants: readonly Invariant[] = [
  atMostOneWinner,
  nothingLeft,
  withinBudget,
  nothingImpossible,
  fallbackReachable,
  progress,
  failsByItself,
  nobodyWaits,
  streamsWhole,
];

/** What is wrong with the first side with which something is. */
function ofSides(
  { observation }: Moment,
  judge: (observation: SideObservation, side: Side) => string | undefined,
): string | undefined {
  for (const side of SIDES) {
    const problem = judge(observation[side], side);
    if (problem !== undefined) return `the ${side} ${problem}`;
  }
  return undefined;
}

function budgetOf({ model: { flow }, observation: { at } }: Moment): number {
  const punching = flow.strategies.filter(({ gives }) => gives === 'direct' || gives === 'relayed');
  const ofStrategies = punching.reduce((sum, { bounds }) => sum + bounds.packets, 0);
  return AT_ONCE + Math.ceil(at / 1_000) * EACH_SECOND + ROUNDS * ofStrategies;
}

/** Datagrams that a side may send in a burst: checks of all pairs, and looks at the network. */
const AT_ONCE = 1_000;
/** Datagrams that a side may send each second, on average. */
const EACH_SECOND = 20;
/** ms: consent is over after 30 (RFC 7675); a server takes up to 60 to miss a client that says nothing any more. */
const DOUBT: Readonly<Record<PathKind, number>> = { direct: 45_000, relayed: 70_000 };
/** ms. */
const SILENCE = 15_000;
/** Of punching, the first one included, before a path has to stand for the next. */
const ROUNDS = 6;
