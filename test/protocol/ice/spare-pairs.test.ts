import { describe, expect, it } from 'vitest';
import { UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, endpoint, formatEndpoint, sameEndpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgent, type IceEvent } from '../../../src/protocol/ice/index.ts';
import { decodeMessage } from '../../../src/protocol/stun/index.ts';
import { candidate, signalled } from './internet.ts';
import { leftOptions, rightOptions } from './pair-of-agents.ts';

interface Side {
  readonly agent: IceAgent;
  readonly addresses: readonly Endpoint[];
  readonly events: IceEvent[];
}

/** Three networks with IPv4 and one with IPv6 join the two: what is sent to the nth address comes from the nth. */
const LEFT = [...[1, 2, 3].map((n) => endpoint(`198.51.100.${n}`, 5000)), endpoint('2001:db8::5', 5000)];
const RIGHT = [...[1, 2, 3].map((n) => endpoint(`203.0.113.${n}`, 6000)), endpoint('2001:db8::6', 6000)];

/** Two agents without delay between them, and four valid pairs: three of one socket, the fourth of another. */
function acquainted({ late = false } = {}) {
  const left: Side = { agent: createIceAgent(leftOptions()), addresses: LEFT, events: [] };
  const right: Side = { agent: createIceAgent(rightOptions()), addresses: RIGHT, events: [] };
  /** Addresses on the right that nothing gets to. */
  const dead = new Set<string>();
  let now = 0;

  const carry = (from: Side, to: Side): boolean => {
    const output = from.agent.poll(now);
    if (output.type === 'event') from.events.push(output.event);
    if (output.type === 'transmit') {
      const network = to.addresses.findIndex((address) => sameEndpoint(address, output.to));
      const message = decodeMessage(output.bytes);
      const arrival = { message, from: from.addresses[network]!, base: output.to };
      if (!dead.has(RIGHT[network]!.address)) to.agent.handle({ ...UDP, type: 'message', ...arrival }, now);
    }
    return output.type !== 'wait';
  };
  const run = (until: number): void => {
    for (; now < until; now += 5) while (carry(left, right) || carry(right, left));
  };
  /** The nth address is the nth best. */
  const introduce = (from: number, to: number): void => {
    for (const [side, other] of [
      [left, right],
      [right, left],
    ] as const) {
      for (let n = from; n < to; n++) {
        const [own, their] = [side.addresses[n]!, other.addresses[n]!];
        side.agent.handle({ type: 'local-candidate', candidate: candidate('host', own, own, 65_535 - n) }, now);
        const told = signalled(candidate('host', their, their, 65_535 - n));
        side.agent.handle({ type: 'remote-candidate', candidate: told }, now);
      }
    }
  };
  introduce(0, late ? 2 : 4);
  run(1000);
  return { left, right, run, introduceLast: () => introduce(2, 4), cut: (address: string) => void dead.add(address) };
}

const validPairs = ({ agent }: Side): string[] =>
  agent
    .snapshot()
    .pairs.filter(({ state }) => state === 'succeeded')
    .map(({ remote }) => formatEndpoint(remote.endpoint));

const requestsOf = ({ agent }: Side): Map<string, number> =>
  new Map(agent.snapshot().pairs.map(({ id, requestsSent }) => [id, requestsSent]));

const lossesOf = ({ events }: Side): string[] =>
  events.flatMap((event) => (event.type === 'pair.lost' ? [event.reason] : []));

const pairTo = (side: Side, address: string): string =>
  side.agent.snapshot().pairs.find(({ remote }) => remote.endpoint.address === address)!.id;

describe('valid pairs, once one of them is nominated', () => {
  it('are kept if nominated, and one of another socket beside: the consent of the others expires on both sides', () => {
    const { left, right, run } = acquainted();
    expect(validPairs(left)).toHaveLength(4);
    left.agent.handle({ type: 'nominate', pairId: pairTo(left, '203.0.113.2') }, 1000);
    run(20_000);
    expect(lossesOf(left)).toEqual([]);
    run(32_000);
    const asked = requestsOf(left);
    run(300_000);
    expect(validPairs(left)).toEqual(['203.0.113.2:6000', '[2001:db8::6]:6000']);
    expect(validPairs(right)).toEqual(['198.51.100.2:5000', '[2001:db8::5]:5000']);
    expect([lossesOf(left), lossesOf(right)]).toEqual(Array(2).fill(['superseded', 'superseded']));
    const gone = left.agent.snapshot().pairs.filter(({ state }) => state === 'failed');
    expect(gone.map(({ failure }) => failure)).toEqual(['superseded', 'superseded']);
    for (const { id, requestsSent } of gone) expect(requestsSent).toBe(asked.get(id));
  });

  it('are kept in use, too', () => {
    const { left, run } = acquainted();
    left.agent.handle({ type: 'use', pairIds: [pairTo(left, '203.0.113.3')] }, 1000);
    left.agent.handle({ type: 'nominate', pairId: pairTo(left, '203.0.113.2') }, 1000);
    run(100_000);
    expect(validPairs(left)).toEqual(['203.0.113.2:6000', '203.0.113.3:6000', '[2001:db8::6]:6000']);
    expect(lossesOf(left)).toEqual(['superseded']);
  });

  it('are let go of, too, when they become valid later', () => {
    const { left, run, introduceLast } = acquainted({ late: true });
    left.agent.handle({ type: 'nominate', pairId: pairTo(left, '203.0.113.1') }, 1000);
    run(2000);
    introduceLast();
    run(3000);
    expect(validPairs(left)).toHaveLength(4);
    run(100_000);
    expect(validPairs(left)).toHaveLength(2);
  });

  it('are asked again when the nominated one is lost', () => {
    const { left, run, cut } = acquainted();
    left.agent.handle({ type: 'nominate', pairId: pairTo(left, '203.0.113.1') }, 1000);
    run(2000);
    cut('203.0.113.1');
    left.agent.handle({ type: 'check', pairId: pairTo(left, '203.0.113.1') }, 2000);
    run(100_000);
    expect(validPairs(left)).toEqual(['203.0.113.2:6000', '203.0.113.3:6000', '[2001:db8::6]:6000']);
  });

  it('come back for as long as the other side asks for consent on one that it uses', () => {
    const { left, right, run } = acquainted();
    right.agent.handle({ type: 'use', pairIds: [pairTo(right, '198.51.100.3')] }, 1000);
    left.agent.handle({ type: 'nominate', pairId: pairTo(left, '203.0.113.1') }, 1000);
    run(100_000);
    expect(validPairs(left)).toEqual(['203.0.113.1:6000', '203.0.113.3:6000', '[2001:db8::6]:6000']);
    expect(lossesOf(right)).toEqual(['superseded']);
  });
});
