import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { pairPriority } from '../../../src/protocol/ice/candidate-pair.ts';
import { createIceAgent } from '../../../src/protocol/ice/index.ts';
import { attribute, decodeMessage } from '../../../src/protocol/stun/index.ts';
import { candidate } from './internet.ts';
import { checkFromRight, PRIORITY, responseFromRight } from './messages.ts';
import { eventsOf, introduce, introduceBoth, leftOptions, meeting } from './pair-of-agents.ts';

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
    const agent = createIceAgent(leftOptions());
    agent.handle({ type: 'local-candidate', candidate: candidate('host', endpoint('198.51.100.2', 5000)) }, 0);
    agent.handle({ type: 'remote-candidate', candidate: candidate('host', endpoint('203.0.113.2', 6000)) }, 0);
    const first = agent.poll(0);
    if (first.type !== 'transmit') throw new Error(`expected a check, got ${first.type}`);
    const conflict = responseFromRight(first, [{ type: 'error-code', code: 487, reason: 'Role Conflict' }], {
      kind: 'error',
    });
    agent.handle({ type: 'message', message: decodeMessage(conflict), from: first.to, base: first.base }, 80);
    expect(agent.poll(80)).toEqual({ type: 'settled', transactionId: first.transactionId });
    expect(agent.poll(80)).toEqual({ type: 'event', event: { type: 'role.switched', role: 'controlled' } });
    const second = agent.poll(80);
    if (second.type !== 'transmit') throw new Error(`expected a check, got ${second.type}`);
    expect(attribute(decodeMessage(first.bytes), 'ice-controlling')?.tieBreaker).toBe(2n);
    const renewed = attribute(decodeMessage(second.bytes), 'ice-controlled')?.tieBreaker;
    expect(renewed).toBeTypeOf('bigint');
    expect(renewed).not.toBe(2n);
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
