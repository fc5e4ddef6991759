import { expect, it } from 'vitest';
import { type Candidate, candidatePriority, type TcpType, UDP } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { createTcpTurn, UDP_FIRST } from '../../src/peer/tcp-turn.ts';
import { manualClock } from '../manual-clock.ts';

function setUp() {
  const clock = manualClock();
  const given: string[] = [];
  const state = { needed: true };
  const turn = createTcpTurn({
    clock,
    handle: (input) => given.push(input.type === 'local-candidate' ? kindOf(input.candidate) : input.type),
    isNeeded: () => state.needed,
  });
  return { clock, given, state, turn };
}

function host(tcpType?: TcpType): Candidate {
  const transport = tcpType === undefined ? UDP : ({ transport: 'tcp', tcpType } as const);
  const at = endpoint('192.0.2.1', 5000);
  return {
    ...transport,
    type: 'host',
    endpoint: at,
    base: at,
    priority: candidatePriority('host', 1, transport),
    foundation: '1',
  };
}

const kindOf = ({ transport, tcpType }: Candidate): string => tcpType ?? transport;

it('gives what opens no connection at once, the rest and the end when UDP had its chance with the other side’s candidates', () => {
  const { clock, given, turn } = setUp();
  for (const candidate of [host('active'), host(), host('passive')]) turn.addLocal(candidate);
  turn.endLocal();
  clock.advance(10 * UDP_FIRST);
  expect(given).toEqual(['udp', 'passive']);
  turn.begin();
  clock.advance(UDP_FIRST - 1);
  turn.begin();
  expect(given).toEqual(['udp', 'passive']);
  clock.advance(1);
  expect(given).toEqual(['udp', 'passive', 'active', 'end-of-candidates']);
});

it('opens no connection where UDP works, then or later', () => {
  const { clock, given, state, turn } = setUp();
  turn.addLocal(host('active'));
  state.needed = false;
  turn.begin();
  clock.advance(UDP_FIRST);
  turn.addLocal(host('active'));
  turn.endLocal();
  expect(given).toEqual(['end-of-candidates']);
});

it('takes candidates that come after its turn', () => {
  const { clock, given, turn } = setUp();
  turn.begin();
  clock.advance(UDP_FIRST);
  turn.addLocal(host('active'));
  turn.endLocal();
  expect(given).toEqual(['active', 'end-of-candidates']);
});

it('leaves no timer behind', () => {
  const { clock, given, turn } = setUp();
  turn.addLocal(host('active'));
  turn.begin();
  turn.stop();
  clock.advance(UDP_FIRST);
  expect([clock.pending, given]).toEqual([0, []]);
});
