import { describe, expect, it } from 'vitest';
import { UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgent, type IceEvent, type IceOutput } from '../../../src/protocol/ice/index.ts';
import {
  BINDING,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  shortTermKey,
} from '../../../src/protocol/stun/index.ts';
import { candidate, signalled } from './internet.ts';
import { checkFromRight, PRIORITY, responseFromRight } from './messages.ts';
import { eventsOf, introduce, introduceBoth, LEFT, leftOptions, meeting, RIGHT } from './pair-of-agents.ts';

type Transmission = Extract<IceOutput, { type: 'transmit' }>;

const OURS = endpoint('198.51.100.2', 5000);
const THEIRS = [1, 2, 3].map((n) => endpoint(`203.0.113.${n}`, 6000));
const idOf = ({ address, port }: Endpoint): string => `udp4:5000>${address}:${port}`;

/** A controlled agent that talks to one which is not of this house. */
class Controlled {
  readonly agent: IceAgent = createIceAgent(leftOptions({ role: 'controlled', nomination: 'regular' }));
  readonly events: IceEvent[] = [];
  readonly requests: Transmission[] = [];

  constructor() {
    this.agent.handle({ type: 'local-candidate', candidate: candidate('host', OURS) }, 0);
    for (const [n, at] of THEIRS.entries()) {
      this.agent.handle({ type: 'remote-candidate', candidate: signalled(candidate('host', at, at, 100 - n)) }, 0);
    }
    this.run(0);
  }

  run(now: number): void {
    for (let output = this.agent.poll(now); output.type !== 'wait'; output = this.agent.poll(now)) {
      if (output.type === 'transmit' && output.request) this.requests.push(output);
      if (output.type === 'event') this.events.push(output.event);
    }
  }

  /** The foreign agent checks from this address, as RFC 5245 allows: with USE-CANDIDATE each time. */
  checked(from: Endpoint, now: number): void {
    const attributes: EncodableAttribute[] = [
      PRIORITY,
      { type: 'ice-controlling', tieBreaker: 9n },
      { type: 'use-candidate' },
    ];
    this.receive(checkFromRight({ attributes }), from, now);
  }

  /** It answers all our checks to this address. */
  answers(at: Endpoint, now: number): void {
    for (const request of this.requests.filter(({ to }) => to.address === at.address)) {
      this.receive(responseFromRight(request, [{ type: 'xor-mapped-address', endpoint: OURS }]), at, now);
    }
  }

  receive(bytes: Uint8Array, from: Endpoint, now: number): void {
    this.agent.handle({ ...UDP, type: 'message', message: decodeMessage(bytes), from, base: OURS }, now);
    this.run(now);
  }

  get nominated(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'pair.nominated' ? [event.pairId] : []));
  }
}

describe('aggressive nomination by an agent of RFC 5245', () => {
  it('selects the nominated pair with the highest priority, whichever was nominated first', () => {
    const side = new Controlled();
    const [best, middle, worst] = THEIRS as [Endpoint, Endpoint, Endpoint];
    for (const [at, now] of [
      [worst, 40],
      [best, 60],
      [middle, 80],
    ] as const) {
      side.checked(at, now);
      side.answers(at, now);
    }
    expect(side.nominated).toEqual([worst, best, middle].map(idOf));
    expect(side.agent.snapshot().selected).toBe(idOf(best));
  });

  it('says the same over and over without harm', () => {
    const side = new Controlled();
    for (let now = 40; now < 10_000; now += 500) {
      side.checked(THEIRS[0]!, now);
      side.answers(THEIRS[0]!, now);
    }
    expect(side.nominated).toEqual([idOf(THEIRS[0]!)]);
    expect(side.events.filter(({ type }) => type === 'pair.lost')).toEqual([]);
  });

  it('counts only once our own check has succeeded', () => {
    const side = new Controlled();
    side.checked(THEIRS[1]!, 40);
    expect([side.nominated, side.agent.snapshot().selected]).toEqual([[], undefined]);
    side.answers(THEIRS[1]!, 80);
    expect(side.nominated).toEqual([idOf(THEIRS[1]!)]);
  });
});

describe('an agent that answers and never asks (ICE lite)', () => {
  it('is nominated to by a controlling agent, on one pair', () => {
    const agent = createIceAgent(leftOptions({ nomination: 'regular', ta: 50, burst: 1, rto: 500 }));
    const [at] = THEIRS as [Endpoint];
    const events: IceEvent[] = [];
    const asked: { nominating: boolean }[] = [];
    agent.handle({ type: 'local-candidate', candidate: candidate('host', OURS) }, 0);
    agent.handle({ type: 'remote-candidate', candidate: signalled(candidate('host', at)) }, 0);
    for (let now = 0; now < 1000; now += 10) {
      for (let output = agent.poll(now); output.type !== 'wait'; output = agent.poll(now)) {
        if (output.type === 'event') events.push(output.event);
        if (output.type !== 'transmit') continue;
        const request = decodeMessage(output.bytes);
        asked.push({ nominating: request.attributes.some(({ type }) => type === 'use-candidate') });
        const bytes = responseFromRight(output, [{ type: 'xor-mapped-address', endpoint: OURS }]);
        agent.handle({ ...UDP, type: 'message', message: decodeMessage(bytes), from: at, base: OURS }, now);
      }
    }
    expect(asked).toEqual([{ nominating: false }, { nominating: true }]);
    expect(events.map(({ type }) => type)).toEqual(['pair.valid', 'pair.confirmed', 'pair.nominated']);
  });
});

describe('regular nomination', () => {
  const regular = { nomination: 'regular' } as const;

  it('is for good: when the pair is lost no other is nominated', () => {
    const both = meeting({ leftMore: regular, rightMore: regular });
    const { internet, left } = both;
    introduceBoth(both);
    internet.run(1000);
    const [pairId] = eventsOf(left, 'pair.nominated').map(({ event }) => event.pairId) as [string];
    internet.up = false;
    internet.feed(left, { type: 'check', pairId });
    internet.run(6000);
    expect(eventsOf(left, 'pair.lost')).toHaveLength(1);
    const other = answered(left.agent, endpoint('203.0.113.9', 6000), internet.now);
    internet.feed(left, { type: 'use', pairIds: [other] });
    internet.run(7000);
    expect(left.agent.snapshot().pairs.find(({ id }) => id === other)).toMatchObject({
      state: 'succeeded',
      nominated: false,
      requestsSent: 1,
    });
    expect(left.agent.snapshot().selected).toBeUndefined();
  });

  it('ignores the wish for a second pair', () => {
    const both = meeting();
    const { internet, left, right } = both;
    introduce(internet, left, [candidate('host', left.at)], [candidate('host', right.at)]);
    introduce(internet, right, [candidate('host', right.at)], [candidate('host', left.at)]);
    internet.run(500);
    const [first] = left.agent.snapshot().pairs;
    internet.feed(left, { type: 'nominate', pairId: first!.id });
    internet.run(1000);
    const before = internet.sent.length;
    const second = answered(left.agent, endpoint('203.0.113.9', 6000), internet.now);
    left.agent.handle({ type: 'nominate', pairId: second }, internet.now);
    internet.run(1500);
    expect(internet.sent.length).toBe(before);
    expect(left.agent.snapshot().selected).toBe(first!.id);
  });
});

describe('a refusal of consent', () => {
  const refusal = (request: Transmission, pwd = RIGHT.pwd): Uint8Array =>
    encodeMessage(
      {
        class: 'error',
        method: BINDING,
        transactionId: request.transactionId,
        attributes: [{ type: 'error-code', code: 403, reason: 'Forbidden' }],
      },
      { integrityKey: shortTermKey(pwd), fingerprint: true },
    );

  it('that is signed ends the pair at once (RFC 7675 section 5.2); one that is not means nothing', () => {
    const side = new Controlled();
    const [at] = THEIRS as [Endpoint];
    side.answers(at, 40);
    side.agent.handle({ type: 'check', pairId: idOf(at) }, 1000);
    side.run(1000);
    const consent = side.requests.filter(({ to }) => to.address === at.address).at(-1)!;
    side.receive(refusal(consent, LEFT.pwd), at, 1020);
    expect(side.events.map(({ type }) => type)).toEqual(['pair.valid']);
    side.receive(refusal(consent), at, 1040);
    expect(side.events.at(-1)).toEqual({ type: 'pair.lost', pairId: idOf(at), reason: 'revoked' });
  });

  it('of a check fails the pair', () => {
    const side = new Controlled();
    const [at] = THEIRS as [Endpoint];
    side.receive(refusal(side.requests[0]!), at, 40);
    expect(side.agent.snapshot().pairs[0]).toMatchObject({ id: idOf(at), state: 'failed', failure: 'refused' });
  });
});

/** Makes another pair of the agent valid; gives its id. */
function answered(agent: IceAgent, at: Endpoint, now: number): string {
  const receive = (bytes: Uint8Array): void =>
    agent.handle({ ...UDP, type: 'message', message: decodeMessage(bytes), from: at, base: OURS }, now);
  receive(checkFromRight());
  for (let output = agent.poll(now); output.type !== 'wait'; output = agent.poll(now)) {
    if (output.type === 'transmit' && output.request) {
      receive(responseFromRight(output, [{ type: 'xor-mapped-address', endpoint: OURS }]));
    }
  }
  return idOf(at);
}
