import { describe, expect, it } from 'vitest';
import { UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgent, type IceOutput } from '../../../src/protocol/ice/index.ts';
import { createRecentChecks } from '../../../src/protocol/ice/recent-checks.ts';
import { decodeMessage } from '../../../src/protocol/stun/index.ts';
import { candidate } from './internet.ts';
import { checkFromRight, PRIORITY, responseFromRight } from './messages.ts';
import { leftOptions } from './pair-of-agents.ts';

const OURS = endpoint('198.51.100.2', 5000);
const THEIRS = endpoint('203.0.113.2', 6000);
const THIRD = endpoint('192.0.2.7', 53);

type Transmission = Extract<IceOutput, { type: 'transmit' }>;

/** An agent that waits for checks, and what it sends until `until` ms. */
function listening() {
  const agent = createIceAgent(leftOptions());
  agent.handle({ type: 'local-candidate', candidate: candidate('host', OURS) }, 0);
  return {
    agent,
    hear: (bytes: Uint8Array, from: Endpoint, now: number) =>
      agent.handle({ ...UDP, type: 'message', message: decodeMessage(bytes), from, base: OURS }, now),
  };
}

function sentUntil(agent: IceAgent, from: number, until: number): Transmission[] {
  const sent: Transmission[] = [];
  for (let now = from; now <= until; now++) {
    for (let output = agent.poll(now); output.type !== 'wait'; output = agent.poll(now)) {
      if (output.type === 'transmit') sent.push(output);
    }
  }
  return sent;
}

const bytesOf = (messages: readonly { readonly bytes: Uint8Array }[]): number =>
  messages.reduce((sum, { bytes }) => sum + bytes.length, 0);

describe('a check that comes again from another source', () => {
  it('is answered, and asks for no check: fewer bytes go to who is named as its source than came in its name', () => {
    const { agent, hear } = listening();
    const check = checkFromRight();
    hear(check, THEIRS, 0);
    sentUntil(agent, 0, 10);
    for (let i = 0; i < 50; i++) hear(check, THIRD, 20);
    const sent = sentUntil(agent, 20, 15_000).filter(({ to }) => to.address === THIRD.address);
    expect(sent).toHaveLength(50);
    expect(sent.every(({ request, verified }) => !request && !verified)).toBe(true);
    expect(bytesOf(sent)).toBeLessThanOrEqual(50 * check.length);
    const { dropped, remote } = agent.snapshot();
    expect(dropped.replayed).toBe(50);
    expect(remote.map((known) => known.endpoint)).toEqual([THEIRS]);
  });

  it('does not fan out over the ports of a host', () => {
    const { agent, hear } = listening();
    const check = checkFromRight();
    for (let port = 1; port <= 32; port++) hear(check, endpoint(THIRD.address, port), 0);
    const sent = sentUntil(agent, 0, 15_000);
    expect(sent.filter(({ request }) => request).every(({ to }) => to.port === 1)).toBe(true);
    expect(bytesOf(sent)).toBeLessThanOrEqual(2 * 32 * check.length);
  });

  it('nominates nothing and changes no role', () => {
    const { agent, hear } = listening();
    const conflicting = checkFromRight({
      attributes: [PRIORITY, { type: 'ice-controlling', tieBreaker: 2n ** 64n - 1n }, { type: 'use-candidate' }],
    });
    hear(conflicting, THEIRS, 0);
    expect(agent.snapshot().role).toBe('controlled');
    agent.handle({ type: 'remote-candidate', candidate: candidate('host', THIRD) }, 1);
    hear(conflicting, THIRD, 2);
    const check = sentUntil(agent, 2, 10).find(({ request, to }) => request && to.address === THIRD.address);
    agent.handle(
      {
        ...UDP,
        type: 'message',
        message: decodeMessage(responseFromRight(check!, [{ type: 'xor-mapped-address', endpoint: OURS }])),
        from: THIRD,
        base: OURS,
      },
      12,
    );
    expect(agent.snapshot().pairs.filter(({ state }) => state === 'succeeded')).toMatchObject([{ nominated: false }]);
  });

  it('counts all the same where it is the true one of a pair that is valid', () => {
    const { agent, hear } = listening();
    hear(checkFromRight(), THEIRS, 0);
    const check = sentUntil(agent, 0, 1).find(({ request }) => request);
    const answer = responseFromRight(check!, [{ type: 'xor-mapped-address', endpoint: OURS }]);
    hear(answer, THEIRS, 10);
    const consent = checkFromRight();
    hear(consent, THIRD, 100);
    hear(consent, THEIRS, 101);
    expect(agent.snapshot()).toMatchObject({ dropped: { replayed: 0 }, pairs: [{ requestsReceived: 2 }, {}] });
  });

  it('is no replay where the other side sends it again', () => {
    const { agent, hear } = listening();
    const check = checkFromRight();
    for (const now of [0, 200, 600]) hear(check, THEIRS, now);
    expect(agent.snapshot()).toMatchObject({ dropped: { replayed: 0 }, pairs: [{ requestsReceived: 3 }] });
  });
});

describe('recent checks', () => {
  const id = (n: number): Uint8Array => Buffer.concat([Buffer.alloc(8), Buffer.from([0, 0, n >> 8, n & 0xff])]);

  it('are the last 256, by id and source', () => {
    const recent = createRecentChecks();
    for (let n = 0; n < 256; n++) expect(recent.isReplay(id(n), `source ${n % 3}`)).toBe(false);
    for (let n = 0; n < 256; n++) {
      expect(recent.isReplay(id(n), `source ${n % 3}`), `${n}`).toBe(false);
      expect(recent.isReplay(id(n), 'elsewhere'), `${n}`).toBe(true);
    }
    expect(recent.isReplay(id(256), 'here')).toBe(false);
    expect([recent.isReplay(id(1), 'elsewhere'), recent.isReplay(id(0), 'elsewhere')]).toEqual([true, false]);
  });

  it('are known by their sources, however many these are', () => {
    const recent = createRecentChecks();
    for (let n = 0; n < 1000; n++) {
      expect(recent.isReplay(id(n), `source ${n}`), `${n}`).toBe(false);
      const remembered = Array.from({ length: Math.min(n + 1, 256) }, (_, back) => n - back);
      expect(remembered.filter((known) => recent.isReplay(id(known), `source ${known}`))).toEqual([]);
    }
    expect(recent.isReplay(id(744), 'source 745')).toBe(true);
  });

  it('are told apart though the bytes of one id are found across two', () => {
    const recent = createRecentChecks();
    const [first, second] = [Buffer.alloc(12, 1), Buffer.alloc(12, 2)];
    recent.isReplay(first, 'here');
    recent.isReplay(second, 'here');
    const across = Buffer.concat([first.subarray(6), second.subarray(0, 6)]);
    expect(recent.isReplay(across, 'elsewhere')).toBe(false);
  });
});
