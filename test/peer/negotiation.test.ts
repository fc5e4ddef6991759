import { describe, expect, it } from 'vitest';
import type { Agreement, StrategyResult } from '../../src/core/strategy.ts';
import { type Act, CROSSING, NegotiationPair, TestRun, twoSided } from './negotiation-pair.ts';
import { codeOf } from './world.ts';

const never = new AbortController().signal;

describe('two sides that agree', () => {
  for (const [where, vouched, crossing] of [
    ['inside the session', true, CROSSING.note],
    ['in envelopes', false, CROSSING.envelope],
  ] as const) {
    it(`do so ${where}, and start at the same time`, async () => {
      let theirs: Agreement | undefined;
      let startedAt = 0;
      const pair = new NegotiationPair({
        strategies: [
          twoSided('knock', {
            act: async ({ env }) => {
              theirs = await env.agree({ port: 2 });
              startedAt = env.clock.now();
              return { ok: true, path: 'path' };
            },
          }),
        ],
        authenticated: vouched,
      });
      const mine = await pair.clock.runUntil(pair.propose({ port: 1 }));
      const proposer = pair.clock.now();
      await pair.clock.run();
      expect(mine).toEqual({ params: { port: 2 }, vouched, crossing });
      expect(theirs).toEqual({ params: { port: 1 }, vouched, crossing });
      expect(startedAt).toBe(proposer);
      expect([pair.dialer.types, pair.listener.types]).toEqual([['propose'], ['accept']]);
    });
  }

  it('one after the other, with ids that count up', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock'), twoSided('ring')] });
    await pair.clock.runUntil(pair.propose());
    await pair.clock.run();
    await pair.clock.runUntil(pair.propose(1, new TestRun(twoSided('ring'))));
    expect(pair.dialer.said.map(({ message }) => message.id)).toEqual([1, 2]);
    expect(pair.listener.types).toEqual(['accept', 'accept']);
  });

  it('leave no timer and no run behind', async () => {
    const pair = new NegotiationPair();
    await pair.clock.runUntil(pair.propose());
    await pair.clock.run();
    expect(pair.running.size).toBe(0);
    expect(pair.clock.pending).toBe(0);
  });
});

describe('a listener declines', () => {
  const declined = async (pair: NegotiationPair, run?: TestRun): Promise<unknown> => {
    const answer = pair
      .propose(null, run)
      .catch((error: { code: string; message: string }) => `${error.code} ${error.message}`);
    return pair.clock.runUntil(answer);
  };
  const reason = (text: string) => `ERR_DECLINED the other side declines: ${text}`;

  it('what is not in its flow', async () => {
    expect(await declined(new NegotiationPair({ strategies: [] }))).toBe(reason('not in the flow here'));
  });

  it('another version', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { version: 2 })] });
    expect(await declined(pair)).toBe(reason('version 2 here'));
  });

  it('what shows an address that its policy hides', async () => {
    const pair = new NegotiationPair();
    pair.listener.policy = 'relay-only';
    expect(await declined(pair)).toBe(reason('the policy is relay-only'));
  });

  it('by the strategy itself, which says why in one line', async () => {
    const act: Act = async () => ({ ok: false, reason: `no port\nfree${'!'.repeat(300)}` });
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act })] });
    expect(await declined(pair)).toBe(reason(`no port free${'!'.repeat(188)}`));
  });

  it('by the strategy that throws, or forgets to agree', async () => {
    const throwing: Act = () => Promise.reject(new Error('broken'));
    expect(await declined(new NegotiationPair({ strategies: [twoSided('knock', { act: throwing })] }))).toBe(
      reason('broken'),
    );
    const forgetful: Act = async () => ({ ok: true, path: 'path' });
    expect(await declined(new NegotiationPair({ strategies: [twoSided('knock', { act: forgetful })] }))).toBe(
      reason('it did not agree'),
    );
  });

  it('the same while one runs, and not when that has ended', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: agreeAndStay })] });
    const first = new TestRun(twoSided('knock'));
    await pair.clock.runUntil(pair.propose(null, first));
    expect(await declined(pair)).toBe(reason('busy with the same'));
    first.end();
    await pair.clock.run();
    await pair.clock.runUntil(pair.propose());
    expect(pair.listener.types).toEqual(['accept', 'decline', 'accept']);
  });
});

describe('a run that is over', () => {
  it('is called off at the other side when it was abandoned', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: agreeAndStay })] });
    const run = new TestRun(twoSided('knock'));
    await pair.clock.runUntil(pair.propose(null, run));
    await pair.clock.advance(CROSSING.note);
    expect(pair.running.size).toBe(1);
    run.end();
    await pair.clock.run();
    expect(pair.running.size).toBe(0);
    expect(pair.dialer.types).toEqual(['propose', 'cancel']);
  });

  it('is called off before the other side has answered', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: stayWithoutAgreeing })] });
    const run = new TestRun(twoSided('knock'));
    const agreed = codeOf(pair.propose(null, run));
    await pair.clock.advance(100);
    run.end();
    expect(await pair.clock.runUntil(agreed)).toBe('ERR_ABORTED');
    await pair.clock.run();
    expect(pair.running.size).toBe(0);
    expect(pair.listener.reasons).toEqual(['the other side called it off']);
  });

  it('leaves the other side alone when it has won', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: agreeAndStay })] });
    const run = new TestRun(twoSided('knock'));
    await pair.clock.runUntil(pair.propose(null, run));
    run.end(true);
    await pair.clock.advance(1_000);
    expect(pair.running.size).toBe(1);
    expect(pair.dialer.types).toEqual(['propose']);
  });

  it('ends with the connection', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: agreeAndStay })] });
    await pair.clock.runUntil(pair.propose());
    pair.listener.end();
    expect(pair.running.size).toBe(0);
  });
});

describe('a proposal that nobody answers', () => {
  it('times out after 4 s and a round trip, and is called off', async () => {
    const pair = new NegotiationPair();
    pair.dialer.other = undefined;
    expect(await pair.clock.runUntil(codeOf(pair.propose()))).toBe('ERR_TIMEOUT');
    expect(pair.clock.now()).toBe(4_000 + 2 * CROSSING.note);
    expect(pair.dialer.types).toEqual(['propose', 'cancel']);
  });

  it('times out with a listener whose strategy does not make up its mind, which is then stopped', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: stayWithoutAgreeing })] });
    expect(await pair.clock.runUntil(codeOf(pair.propose()))).toBe('ERR_TIMEOUT');
    await pair.clock.run();
    expect(pair.running.size).toBe(0);
  });

  it('is not made while notes wait to be sent', async () => {
    const pair = new NegotiationPair();
    pair.dialer.takesNotes = false;
    expect(await codeOf(pair.propose())).toBe('ERR_BUSY');
  });
});

describe('a vouched strategy', () => {
  const spray = (act?: Act) => twoSided('spray', { vouched: true, ...(act && { act }) });

  it('waits until both keys are proven', async () => {
    const pair = new NegotiationPair({ strategies: [spray()], authenticated: false });
    const agreed = pair.propose(null, new TestRun(spray()));
    await pair.clock.advance(1_000);
    expect(pair.dialer.types).toEqual([]);
    pair.listener.authenticate();
    pair.dialer.authenticate();
    expect(await pair.clock.runUntil(agreed)).toMatchObject({ vouched: true });
  });

  it('has one run at a time at the dialer, and the next when that is over', async () => {
    const pair = new NegotiationPair({ strategies: [spray(agreeAndStay)] });
    const first = new TestRun(spray());
    await pair.clock.runUntil(pair.propose(1, first));
    const second = pair.propose(2, new TestRun(spray()));
    await pair.clock.advance(1_000);
    expect(pair.dialer.types).toEqual(['propose']);
    first.end();
    expect(await pair.clock.runUntil(second)).toMatchObject({ vouched: true });
  });

  it('gives up its place in the queue when it is abandoned', async () => {
    const pair = new NegotiationPair({ strategies: [spray(agreeAndStay)] });
    const first = new TestRun(spray());
    await pair.clock.runUntil(pair.propose(1, first));
    const waiting = new TestRun(spray());
    const second = codeOf(pair.propose(2, waiting));
    await pair.clock.advance(1);
    waiting.end();
    expect(await second).toBe('ERR_ABORTED');
    first.end();
    await pair.clock.run();
    expect(pair.dialer.types).toEqual(['propose', 'cancel']);
  });
});

describe('a session that has lost its last path', () => {
  const recovering = (): NegotiationPair => {
    const pair = new NegotiationPair();
    pair.dialer.table.current = undefined;
    return pair;
  };

  it('agrees in envelopes, as before it stood', async () => {
    const pair = recovering();
    pair.listener.table.current = undefined;
    expect(await pair.clock.runUntil(pair.propose())).toMatchObject({ vouched: false });
  });

  it('is listened to as soon as its path is in doubt at the listener, and not before', async () => {
    const pair = recovering();
    expect(await pair.clock.runUntil(codeOf(pair.propose()))).toBe('ERR_DECLINED');
    pair.listener.table.isSuspect = true;
    expect(await pair.clock.runUntil(pair.propose())).toMatchObject({ vouched: false });
  });

  it('agrees on what must be vouched for inside only', async () => {
    const spray = twoSided('spray', { vouched: true });
    const pair = new NegotiationPair({ strategies: [spray] });
    pair.dialer.table.current = undefined;
    await pair.clock.runUntil(pair.propose(null, new TestRun(spray)));
    expect(pair.dialer.said.map(({ vouched }) => vouched)).toEqual([true]);
  });
});

describe('proposals in envelopes', () => {
  it('use up none of those inside the session', async () => {
    const pair = new NegotiationPair();
    for (let id = 1; id <= 8; id++) {
      pair.listener.negotiation.receive(
        { type: 'propose', id, strategy: 'knock', version: 1, params: null, startIn: 0 },
        false,
      );
    }
    expect(await pair.clock.runUntil(pair.propose())).toMatchObject({ vouched: true });
  });
});

describe('a step of the listener’s own flow', () => {
  it('ends as the run ends that the dialer proposes', async () => {
    const pair = new NegotiationPair();
    const outcome = pair.listener.negotiation.outcome(twoSided('knock'), never);
    await pair.clock.runUntil(pair.propose());
    expect(await pair.clock.runUntil(outcome)).toMatchObject({ ok: true, path: 'path' });
  });

  it('takes the end of one that came before it, once', async () => {
    const act: Act = async () => ({ ok: false, reason: 'no luck' });
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act })] });
    await pair.clock.runUntil(codeOf(pair.propose()));
    const outcome = (): Promise<StrategyResult> => pair.listener.negotiation.outcome(twoSided('knock'), never);
    expect(await outcome()).toMatchObject({ ok: false, reason: 'no luck' });
    let again: StrategyResult | undefined;
    void outcome().then((result) => (again = result));
    await pair.clock.run();
    expect(again).toBeUndefined();
  });

  it.each<[string, (pair: NegotiationPair, run: TestRun) => void]>([
    ['the one before it was called off', (_, run) => run.end()],
    ['another round began', (pair) => pair.listener.negotiation.restart()],
  ])('waits for the next where %s', async (_, interrupt) => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: agreeAndStay })] });
    const run = new TestRun(twoSided('knock'));
    await pair.clock.runUntil(pair.propose(null, run));
    interrupt(pair, run);
    await pair.clock.run();
    expect(pair.running.size).toBe(0);
    let ended: StrategyResult | undefined;
    void pair.listener.negotiation.outcome(twoSided('knock'), never).then((result) => (ended = result));
    await pair.clock.run();
    expect(ended).toBeUndefined();
  });

  it('takes no path that is gone', async () => {
    const pair = new NegotiationPair();
    await pair.clock.runUntil(pair.propose());
    await pair.clock.run();
    const aborting = new AbortController();
    const outcome = pair.listener.negotiation.outcome(twoSided('knock'), aborting.signal).catch(String);
    aborting.abort('over');
    expect(await outcome).toBe('over');
  });

  it('takes a path that stands', async () => {
    const pair = new NegotiationPair();
    pair.listener.paths.add('path');
    await pair.clock.runUntil(pair.propose());
    await pair.clock.run();
    expect(await pair.listener.negotiation.outcome(twoSided('knock'), never)).toMatchObject({ ok: true, path: 'path' });
  });
});

describe('agree', () => {
  it.each([
    ['too large', 'x'.repeat(999), '1001 bytes, at most 1000'],
    ['no JSON', Number.NaN, 'NaN is not JSON'],
  ])('refuses params that are %s', async (_, params, fault) => {
    const pair = new NegotiationPair();
    await expect(pair.propose(params)).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: `params of knock: ${fault}`,
    });
    expect(pair.dialer.types).toEqual([]);
  });

  it('is once a proposal for a listener, and not for a strategy of one side', async () => {
    const codes: unknown[] = [];
    const act: Act = async ({ env }) => {
      await env.agree();
      codes.push(await codeOf(env.agree()));
      return { ok: true, path: 'path' };
    };
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act })] });
    await pair.clock.runUntil(pair.propose());
    await pair.clock.run();
    expect(codes).toEqual(['ERR_USAGE']);
    const { twoSided: _, ...oneSided } = twoSided('knock');
    expect(await codeOf(pair.propose(null, new TestRun(oneSided)))).toBe('ERR_USAGE');
  });
});

const agreeAndStay: Act = async ({ env }) => {
  await env.agree();
  return stay(env.signal);
};

const stayWithoutAgreeing: Act = ({ env }) => stay(env.signal);

function stay(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
