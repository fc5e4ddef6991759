import { describe, expect, it } from 'vitest';
import type { NegotiationMessage } from '../../src/protocol/negotiation/messages.ts';
import { type Act, CROSSING, NegotiationPair, twoSided } from '../peer/negotiation-pair.ts';
import { codeOf } from '../peer/world.ts';

const propose = (id: number, strategy = 'knock'): NegotiationMessage => ({
  type: 'propose',
  id,
  strategy,
  version: 1,
  params: null,
  startIn: 0,
});

/** Runs until it is stopped. */
const stay: Act = async ({ env }) => {
  await env.agree();
  return new Promise((_, reject) => env.signal.addEventListener('abort', () => reject(env.signal.reason)));
};

const spray = (act?: Act) => twoSided('spray', { vouched: true, time: 60_000, ...(act && { act }) });

describe('somebody who holds the ticket, and speaks in envelopes', () => {
  it('starts no vouched strategy, whether the session stands or not', async () => {
    for (const authenticated of [false, true]) {
      const { listener, running } = new NegotiationPair({ strategies: [spray()], authenticated });
      listener.negotiation.receive(propose(1, 'spray'), false);
      expect(running.size).toBe(0);
      expect(listener.reasons).toEqual(['only inside the session']);
    }
  });

  it('starts nothing at all once the session stands', async () => {
    const { listener, running } = new NegotiationPair();
    listener.negotiation.receive(propose(1), false);
    expect(running.size).toBe(0);
    expect(listener.reasons).toEqual(['the session stands: only inside it']);
  });

  it('uses up no id of the dialer’s', async () => {
    const pair = new NegotiationPair();
    pair.listener.negotiation.receive(propose(2 ** 31 - 1), false);
    expect(await pair.clock.runUntil(pair.propose())).toMatchObject({ vouched: true });
  });

  it('calls off no run that was agreed on inside the session', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: stay })] });
    await pair.clock.runUntil(pair.propose());
    pair.listener.negotiation.receive({ type: 'cancel', id: 1 }, false);
    expect(pair.running.size).toBe(1);
  });

  it('answers nothing that was proposed inside the session', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: stay })] });
    const agreed = pair.propose();
    pair.dialer.negotiation.receive({ type: 'accept', id: 1, params: 'forged' }, false);
    pair.dialer.negotiation.receive({ type: 'decline', id: 1, reason: 'forged' }, false);
    expect(await pair.clock.runUntil(agreed)).toMatchObject({ params: null, vouched: true });
  });
});

describe('a dialer that does not keep to the rules', () => {
  it('has four proposals heard at once, and one more every 2.5 s', async () => {
    const pair = new NegotiationPair({ strategies: [] });
    for (let id = 1; id <= 10_000; id++) pair.listener.negotiation.receive(propose(id), true);
    expect(pair.listener.types).toEqual(Array(4).fill('decline'));
    await pair.clock.advance(2_500);
    pair.listener.negotiation.receive(propose(10_001), true);
    pair.listener.negotiation.receive(propose(10_002), true);
    expect(pair.listener.types).toHaveLength(5);
  });

  it('has 40 notes read at once, and nothing kept of the others', async () => {
    const pair = new NegotiationPair();
    const nonsense = Buffer.from('nonsense');
    for (let i = 0; i < 10_000; i++) pair.listener.negotiation.hear(nonsense);
    expect(pair.listener.logged).toEqual(Array(40).fill('note.dropped'));
    await pair.clock.advance(1_000);
    for (let i = 0; i < 10_000; i++) pair.listener.negotiation.hear(nonsense);
    expect(pair.listener.logged).toHaveLength(60);
    expect(pair.listener.said).toEqual([]);
  });

  it('starts nothing by a proposal that comes again, or out of its order', async () => {
    const pair = new NegotiationPair();
    for (const id of [5, 5, 4, 1]) pair.listener.negotiation.receive(propose(id), true);
    await pair.clock.run();
    expect(pair.listener.types).toEqual(['accept']);
  });

  it.each([
    [
      'params that are deep',
      '{"type":"propose","id":1,"strategy":"knock","version":1,"startIn":0,"params":[[[[[[[[[0]]]]]]]]]}',
    ],
    [
      'params that are large',
      `{"type":"propose","id":1,"strategy":"knock","version":1,"startIn":0,"params":"${'x'.repeat(999)}"}`,
    ],
    ['no params', '{"type":"propose","id":1,"strategy":"knock","version":1,"startIn":0}'],
    ['a start in an hour', '{"type":"propose","id":1,"strategy":"knock","version":1,"startIn":3600000,"params":0}'],
    ['a name that is none', '{"type":"propose","id":1,"strategy":"../knock","version":1,"startIn":0,"params":0}'],
    ['a message of another kind', '{"type":"offer","id":1}'],
  ])('has a note with %s dropped', async (_, text) => {
    const pair = new NegotiationPair();
    pair.listener.negotiation.hear(Buffer.from(text));
    await pair.clock.run();
    expect(pair.listener.logged).toEqual(['note.dropped']);
    expect(pair.listener.said).toEqual([]);
  });

  it('reaches nothing in the flow’s table by a name that every object has', () => {
    const pair = new NegotiationPair();
    for (const [i, name] of ['constructor', 'tostring', 'valueof', 'has'].entries()) {
      pair.listener.negotiation.receive(propose(i + 1, name), true);
    }
    expect(pair.listener.reasons).toEqual(Array(4).fill('not in the flow here'));
  });

  it('has its cancel of nothing, and its answers, ignored', () => {
    const pair = new NegotiationPair();
    pair.listener.negotiation.receive({ type: 'cancel', id: 7 }, true);
    pair.listener.negotiation.receive({ type: 'accept', id: 7, params: null }, true);
    pair.listener.negotiation.receive({ type: 'decline', id: 7, reason: 'no' }, true);
    expect(pair.listener.said).toEqual([]);
  });
});

describe('many dialers of one listener', () => {
  it('have one vouched run between them', async () => {
    const pair = new NegotiationPair({ strategies: [spray(stay)] });
    const others = Array.from({ length: 5 }, () => pair.another());
    for (const end of [pair.listener, ...others]) end.negotiation.receive(propose(1, 'spray'), true);
    expect(pair.running.size).toBe(1);
    expect(others.flatMap(({ reasons }) => reasons)).toEqual(Array(5).fill('busy with another'));
    pair.listener.negotiation.receive({ type: 'cancel', id: 1 }, true);
    others[0]!.negotiation.receive(propose(2, 'spray'), true);
    expect([...pair.running]).toHaveLength(1);
    expect(others[0]!.types).toEqual(['decline', 'accept']);
  });

  it('have 16 proposals looked at between them', async () => {
    const pair = new NegotiationPair({ strategies: [spray(stay)] });
    const others = Array.from({ length: 20 }, () => pair.another());
    for (const end of others) end.negotiation.receive(propose(1, 'spray'), true);
    const reasons = others.flatMap((end) => end.reasons);
    expect(reasons.filter((reason) => reason === 'busy')).toHaveLength(4);
    expect(reasons.filter((reason) => reason === 'busy with another')).toHaveLength(15);
  });
});

describe('a listener that does not keep to the rules', () => {
  it('answers once: what comes later, and what nobody asked for, changes nothing', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: stay })] });
    pair.dialer.negotiation.receive({ type: 'accept', id: 1, params: 'early' }, true);
    const agreed = pair.propose();
    pair.dialer.negotiation.receive({ type: 'accept', id: 2, params: 'of another' }, true);
    expect(await pair.clock.runUntil(agreed)).toMatchObject({ params: null });
    pair.dialer.negotiation.receive({ type: 'decline', id: 1, reason: 'after all' }, true);
    pair.dialer.negotiation.receive({ type: 'accept', id: 1, params: 'again' }, true);
    await pair.clock.advance(CROSSING.note);
    expect(pair.dialer.types).toEqual(['propose']);
  });

  it('makes the dialer run nothing by proposals and cancels of its own', async () => {
    const pair = new NegotiationPair({ strategies: [twoSided('knock', { act: stay })] });
    const agreed = pair.propose();
    pair.dialer.negotiation.receive(propose(1), true);
    pair.dialer.negotiation.receive({ type: 'cancel', id: 1 }, true);
    expect(await pair.clock.runUntil(agreed)).toMatchObject({ vouched: true });
    expect(pair.dialer.types).toEqual(['propose']);
  });

  it('holds the dialer up for no longer than its patience', async () => {
    const pair = new NegotiationPair();
    pair.dialer.other = undefined;
    expect(await pair.clock.runUntil(codeOf(pair.propose()))).toBe('ERR_TIMEOUT');
    pair.dialer.negotiation.receive({ type: 'accept', id: 1, params: 'too late' }, true);
    expect(pair.clock.pending).toBeLessThanOrEqual(1); // the cancel that is under way
  });
});
