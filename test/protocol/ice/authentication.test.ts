import { describe, expect, it } from 'vitest';
import { UDP } from '../../../src/core/candidate.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgent, type IceOutput } from '../../../src/protocol/ice/index.ts';
import {
  attribute,
  decodeMessage,
  type EncodableAttribute,
  shortTermKey,
  verifyIntegrity,
} from '../../../src/protocol/stun/index.ts';
import { candidate } from './internet.ts';
import { checkFromRight, PRIORITY, responseFromRight } from './messages.ts';
import { LEFT, leftOptions } from './pair-of-agents.ts';

const OURS = endpoint('198.51.100.2', 5000);
const THEIRS = endpoint('203.0.113.2', 6000);
const MAPPED: EncodableAttribute = { type: 'xor-mapped-address', endpoint: OURS };

function transmissions(agent: IceAgent, now: number): Extract<IceOutput, { type: 'transmit' }>[] {
  const sent: Extract<IceOutput, { type: 'transmit' }>[] = [];
  for (;;) {
    const output = agent.poll(now);
    if (output.type === 'wait') return sent;
    if (output.type === 'transmit') sent.push(output);
  }
}

/** An agent that waits for checks. */
function listening(): IceAgent {
  const agent = createIceAgent(leftOptions());
  agent.handle({ type: 'local-candidate', candidate: candidate('host', OURS) }, 0);
  return agent;
}

/** An agent with one check under way. */
function checking(): { agent: IceAgent; check: Extract<IceOutput, { type: 'transmit' }> } {
  const agent = listening();
  agent.handle({ type: 'remote-candidate', candidate: candidate('host', THEIRS) }, 0);
  const [check] = transmissions(agent, 0);
  return { agent, check: check! };
}

function receive(agent: IceAgent, bytes: Uint8Array, { from = THEIRS, base = OURS, now = 40 } = {}): void {
  agent.handle({ ...UDP, type: 'message', message: decodeMessage(bytes), from, base }, now);
}

describe('an incoming request', () => {
  it.each([
    ['without signature', checkFromRight({ signed: false }), 400],
    ['signed with another password', checkFromRight({ pwd: 'a password that is not ours' }), 401],
    ['for another username', checkFromRight({ username: 'leftover:right' }), 401],
  ] as const)('%s is refused unsigned, teaches nothing and triggers nothing', (_, bytes, code) => {
    const agent = listening();
    receive(agent, bytes);
    const sent = transmissions(agent, 40);
    expect(sent).toMatchObject([{ request: false, to: THEIRS }]);
    const answer = decodeMessage(sent[0]!.bytes);
    expect(attribute(answer, 'error-code')?.code).toBe(code);
    expect(verifyIntegrity(answer, shortTermKey(LEFT.pwd))).toBe(false);
    expect(agent.snapshot()).toMatchObject({ remote: [], pairs: [], dropped: { unauthenticated: 1 } });
  });

  it('without PRIORITY is refused with a signed 400', () => {
    const agent = listening();
    receive(agent, checkFromRight({ attributes: [] }));
    const answer = decodeMessage(transmissions(agent, 40)[0]!.bytes);
    expect(attribute(answer, 'error-code')?.code).toBe(400);
    expect(verifyIntegrity(answer, shortTermKey(LEFT.pwd))).toBe(true);
    expect(agent.snapshot().pairs).toEqual([]);
  });

  it('with an attribute that must be understood is refused with 420, which names it', () => {
    const agent = listening();
    const message = decodeMessage(checkFromRight());
    agent.handle(
      { ...UDP, type: 'message', message: { ...message, unknownRequired: [0x7abc] }, from: THEIRS, base: OURS },
      40,
    );
    const answer = decodeMessage(transmissions(agent, 40)[0]!.bytes);
    expect(attribute(answer, 'error-code')?.code).toBe(420);
    expect(attribute(answer, 'unknown-attributes')?.types).toEqual([0x7abc]);
  });

  it('in order is answered with its source, and answered by a check of our own at once', () => {
    const agent = listening();
    receive(agent, checkFromRight());
    const [answer, check] = transmissions(agent, 40);
    const message = decodeMessage(answer!.bytes);
    expect(message.class).toBe('success');
    expect(attribute(message, 'xor-mapped-address')?.endpoint).toEqual(THEIRS);
    expect(verifyIntegrity(message, shortTermKey(LEFT.pwd))).toBe(true);
    expect(check).toMatchObject({ request: true, to: THEIRS, base: OURS });
    expect(agent.snapshot().remote).toMatchObject([{ type: 'prflx', priority: 12_345 }]);
  });

  it('from an address that may not be sent to is not answered', () => {
    const agent = listening();
    receive(agent, checkFromRight(), { from: endpoint('127.0.0.1', 9) });
    expect(transmissions(agent, 40)).toEqual([]);
    expect(agent.snapshot().dropped['forbidden-address']).toBe(1);
  });

  it('of another method, and an indication, are not answered', () => {
    const agent = listening();
    const message = decodeMessage(checkFromRight());
    for (const odd of [{ ...message, method: 3 }, { ...message, class: 'indication' } as const]) {
      agent.handle({ ...UDP, type: 'message', message: odd, from: THEIRS, base: OURS }, 40);
    }
    expect(transmissions(agent, 40)).toEqual([]);
    expect(agent.snapshot().dropped['not-a-check']).toBe(2);
  });
});

describe('a response', () => {
  it('with the password of the other side makes the pair valid', () => {
    const { agent, check } = checking();
    receive(agent, responseFromRight(check, [MAPPED]));
    expect(agent.snapshot().pairs).toMatchObject([{ state: 'succeeded', rtt: 40, responsesReceived: 1 }]);
  });

  it('is accepted once', () => {
    const { agent, check } = checking();
    const response = responseFromRight(check, [MAPPED]);
    receive(agent, response);
    receive(agent, response);
    expect(agent.snapshot()).toMatchObject({ pairs: [{ responsesReceived: 1 }], dropped: { 'unmatched-response': 1 } });
  });

  it('that nobody waits for is counted', () => {
    const { agent, check } = checking();
    receive(agent, responseFromRight({ transactionId: check.transactionId.map((byte) => byte ^ 1) }, [MAPPED]));
    expect(agent.snapshot()).toMatchObject({ pairs: [{ state: 'in-progress' }], dropped: { 'unmatched-response': 1 } });
  });

  it('with another password is as if it had not come, and is named when the check ends', () => {
    const { agent, check } = checking();
    receive(agent, responseFromRight(check, [MAPPED], { pwd: LEFT.pwd }));
    expect(agent.snapshot()).toMatchObject({ pairs: [{ state: 'in-progress' }], dropped: { unauthenticated: 1 } });
    for (const now of [200, 600, 1400]) expect(transmissions(agent, now)).toHaveLength(1);
    transmissions(agent, 20_000);
    expect(agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'integrity-violated' }]);
  });

  it.each([
    ['from another address', { from: endpoint('203.0.113.2', 6001) }],
    ['on another socket', { base: endpoint('198.51.100.2', 5001) }],
  ])('%s is as if it had not come', (_, arrival) => {
    const { agent, check } = checking();
    const response = responseFromRight(check, [MAPPED]);
    receive(agent, response, arrival);
    expect(agent.snapshot()).toMatchObject({ pairs: [{ state: 'in-progress' }], dropped: { 'unmatched-response': 1 } });
    receive(agent, response);
    expect(agent.snapshot().pairs).toMatchObject([{ state: 'succeeded' }]);
  });

  it('on the same socket is symmetric though the base shows no address', () => {
    const { agent, check } = checking();
    receive(agent, responseFromRight(check, [MAPPED]), { base: endpoint('0.0.0.0', 5000) });
    expect(agent.snapshot().pairs).toMatchObject([{ state: 'succeeded' }]);
  });

  it('that is a signed error fails the pair', () => {
    const { agent, check } = checking();
    const error: EncodableAttribute = { type: 'error-code', code: 400, reason: 'Bad Request' };
    receive(agent, responseFromRight(check, [error], { kind: 'error' }));
    expect(agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'refused' }]);
  });

  it('without XOR-MAPPED-ADDRESS is as if it had not come', () => {
    const { agent, check } = checking();
    receive(agent, responseFromRight(check, [PRIORITY]));
    expect(agent.snapshot().pairs).toMatchObject([{ state: 'in-progress' }]);
  });
});
