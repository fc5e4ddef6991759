import fc from 'fast-check';
import { expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  type CandidatePair,
  type PairState,
  pairFoundation,
  pairId,
} from '../../../src/protocol/ice/candidate-pair.ts';
import { unfreeze, unfreezeNext } from '../../../src/protocol/ice/unfreezing.ts';
import { candidate, signalled } from './internet.ts';
import { eventsOf, introduce, meeting } from './pair-of-agents.ts';

const LOCAL = candidate('host', endpoint('192.168.1.2', 5000));
const STATES: readonly PairState[] = ['frozen', 'waiting', 'in-progress', 'succeeded', 'failed'];

function pair(n: number, foundation: string, state: PairState): CandidatePair {
  const remote = { ...signalled(candidate('host', endpoint('10.0.0.1', 7000 + n))), foundation };
  return {
    id: pairId(LOCAL, remote.endpoint),
    local: LOCAL,
    remote,
    state,
    checked: false,
    nominated: false,
    nominateOnSuccess: false,
    unproven: 0,
    requestsSent: 0,
    responsesReceived: 0,
    requestsReceived: 0,
  };
}

const pairs: fc.Arbitrary<CandidatePair[]> = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(...STATES)), { maxLength: 12 })
  .map((rows) => rows.map(([foundation, state], n) => pair(n, foundation, state)));

const statesOf = (list: readonly CandidatePair[]): PairState[] => list.map(({ state }) => state);

it('sets free the best pair of a foundation that was left alone, all of one that succeeded, and no other', () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const before = statesOf(list);
      unfreeze(list);
      for (const [n, one] of list.entries()) {
        const alike = list.flatMap((other, i) => (pairFoundation(other) === pairFoundation(one) ? [i] : []));
        const free =
          alike.some((i) => before[i] === 'succeeded') ||
          (alike[0] === n && alike.every((i) => before[i] === 'frozen'));
        expect(one.state).toBe(before[n] === 'frozen' && free ? 'waiting' : before[n]);
      }
    }),
  );
});

it('when nothing waits, sets free the best frozen pair of each foundation that is not being checked', () => {
  fc.assert(
    fc.property(pairs, (all) => {
      const list = all.filter(({ state }) => state !== 'waiting');
      const before = statesOf(list);
      unfreezeNext(list);
      for (const [n, one] of list.entries()) {
        const alike = list.flatMap((other, i) => (pairFoundation(other) === pairFoundation(one) ? [i] : []));
        const isBest = alike.find((i) => before[i] === 'frozen') === n;
        const free = isBest && !alike.some((i) => before[i] === 'in-progress');
        expect(one.state).toBe(free ? 'waiting' : before[n]);
      }
    }),
  );
});

it('the best pair of a foundation is checked first, in whatever order the candidates came', () => {
  const { internet, left } = meeting();
  const alike = [3, 9, 5].map((n) => ({
    ...candidate('host', endpoint(`10.9.0.${n}`, 6000), undefined, n),
    foundation: 'same',
  }));
  introduce(internet, left, [candidate('host', left.at)], alike);
  internet.run(100);
  expect(internet.sent.map(({ to }) => to)).toEqual(['10.9.0.9:6000']);
});

it('candidates that come after the checks were exhausted are checked, and exhausted in their turn', () => {
  const { internet, left } = meeting();
  introduce(internet, left, [candidate('host', left.at)], [candidate('host', endpoint('10.9.0.1', 6000))]);
  internet.run(20_000);
  const late = candidate('srflx', endpoint('203.0.113.9', 6000));
  internet.feed(left, { type: 'remote-candidate', candidate: signalled(late) });
  internet.run(60_000);
  expect(eventsOf(left, 'checks.exhausted').map(({ t, event }) => [t, event.reason])).toEqual([
    [3000, 'all-failed'],
    [30_000, 'timeout'],
  ]);
  const toLate = internet.sent.filter(({ to }) => to === '203.0.113.9:6000').map(({ t }) => t);
  expect([toLate.length, toLate[0], toLate.at(-1)! < 33_000]).toEqual([16, 20_000, true]);
});
