import { describe, expect, it } from 'vitest';
import { UDP } from '../../../src/core/candidate.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { pairPriority } from '../../../src/protocol/ice/candidate-pair.ts';
import { createIceAgent, type IceAgent, type IceInput, type IceOutput } from '../../../src/protocol/ice/index.ts';
import { attribute, decodeMessage, type EncodableAttribute } from '../../../src/protocol/stun/index.ts';
import { candidate } from './internet.ts';
import { checkFromRight, PRIORITY, responseFromRight } from './messages.ts';
import { eventsOf, introduce, introduceBoth, leftOptions, meeting } from './pair-of-agents.ts';

type Check = Extract<IceOutput, { type: 'transmit' }>;

function transmissions(agent: IceAgent, now: number): Check[] {
  const sent: Check[] = [];
  for (let output = agent.poll(now); output.type !== 'wait'; output = agent.poll(now)) {
    if (output.type === 'transmit') sent.push(output);
  }
  return sent;
}

/** A controlling agent with this many checks under way. */
function checking(count: number): { agent: IceAgent; checks: Check[] } {
  const agent = createIceAgent(leftOptions());
  agent.handle({ type: 'local-candidate', candidate: candidate('host', endpoint('198.51.100.2', 5000)) }, 0);
  for (let n = 0; n < count; n++) {
    agent.handle({ type: 'remote-candidate', candidate: candidate('host', endpoint(`203.0.113.${n + 1}`, 6000)) }, 0);
  }
  return { agent, checks: transmissions(agent, 0) };
}

function conflictOver(check: Check): IceInput {
  const error: EncodableAttribute = { type: 'error-code', code: 487, reason: 'Role Conflict' };
  const message = decodeMessage(responseFromRight(check, [error], { kind: 'error' }));
  return { ...UDP, type: 'message', message, from: check.to, base: check.base };
}

describe('a role conflict (RFC 8445 section 7.3.1.1)', () => {
  it.each(['controlling', 'controlled'] as const)('of two %s agents is won by the larger tie-breaker', (role) => {
    const both = meeting({ leftMore: { role, tieBreaker: 9n }, rightMore: { role, tieBreaker: 3n } });
    introduceBoth(both);
    both.internet.run(2000);
    expect([both.left, both.right].map(({ agent }) => agent.snapshot().role)).toEqual(['controlling', 'controlled']);
    const switched = role === 'controlling' ? both.right : both.left;
    const kept = role === 'controlling' ? both.left : both.right;
    expect(eventsOf(switched, 'role.switched')).toHaveLength(1);
    expect(eventsOf(kept, 'role.switched')).toEqual([]);
    for (const host of [both.left, both.right]) expect(eventsOf(host, 'pair.valid')).toHaveLength(1);
  });

  it('of equal tie-breakers ends too', () => {
    const both = meeting({ leftMore: { tieBreaker: 5n }, rightMore: { role: 'controlling', tieBreaker: 5n } });
    introduceBoth(both);
    both.internet.run(2000);
    const roles = [both.left, both.right].map(({ agent }) => agent.snapshot().role);
    expect(roles.sort()).toEqual(['controlled', 'controlling']);
  });

  it('answered by 487 makes the agent switch, choose another tie-breaker and check again', () => {
    const { agent, checks } = checking(1);
    const [first] = checks as [Check];
    agent.handle(conflictOver(first), 80);
    expect(agent.poll(80)).toEqual({ type: 'settled', transactionId: first.transactionId });
    expect(agent.poll(80)).toEqual({ type: 'event', event: { type: 'role.switched', role: 'controlled' } });
    const [second] = transmissions(agent, 80) as [Check];
    expect(attribute(decodeMessage(first.bytes), 'ice-controlling')?.tieBreaker).toBe(2n);
    const renewed = attribute(decodeMessage(second.bytes), 'ice-controlled')?.tieBreaker;
    expect(renewed).toBeTypeOf('bigint');
    expect(renewed).not.toBe(2n);
  });

  it('makes the agent switch once, though every check from before the switch is answered by 487', () => {
    const { agent, checks } = checking(3);
    for (const check of checks) agent.handle(conflictOver(check), 80);
    expect(agent.snapshot().role).toBe('controlled');
    expect(transmissions(agent, 80)).toHaveLength(3);
  });

  it('that we win is answered by a signed 487 and triggers nothing', () => {
    const { internet, left } = meeting();
    introduce(internet, left, [candidate('host', left.at)], []);
    const rival = checkFromRight({ attributes: [PRIORITY, { type: 'ice-controlling', tieBreaker: 1n }] });
    internet.inject(left, rival, endpoint('203.0.113.2', 6000));
    internet.run(100);
    expect(internet.sent).toMatchObject([{ request: false }]);
    expect(left.agent.snapshot()).toMatchObject({ role: 'controlling', pairs: [] });
  });
});

describe('pair priority (RFC 8445 section 6.1.2.3)', () => {
  it('is exact where a double is not', () => {
    expect(pairPriority(2 ** 31 - 1, 2 ** 31 - 2, 'controlling')).toBe(9_223_372_032_559_808_511n);
  });

  it('is the same on both sides', () => {
    expect(pairPriority(100, 200, 'controlling')).toBe(pairPriority(200, 100, 'controlled'));
    expect(pairPriority(200, 100, 'controlling') - pairPriority(100, 200, 'controlling')).toBe(1n);
  });
});
