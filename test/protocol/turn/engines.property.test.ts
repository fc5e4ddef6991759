import fc from 'fast-check';
import { expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { TurnClientInput } from '../../../src/protocol/turn/index.ts';
import { bytesOf, TurnBench } from './bench.ts';

const PEERS = ['198.51.100.1', '198.51.100.2', '198.51.100.3'].flatMap((address) =>
  [5000, 5001].map((port) => endpoint(address, port)),
);
const anyPeer = fc.constantFrom(...PEERS);

/** What may happen, in any order. */
const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('permit', 'bind', 'forget'), peer: anyPeer }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('send'), peer: anyPeer }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('from peer'), peer: anyPeer }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait'), ms: fc.integer({ min: 0, max: 400_000 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lose'), share: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart') }) },
);

it.each(['udp', 'tcp'] as const)(
  'whatever happens over %s: client and server agree, or the client knows that it has lost',
  (transport) => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const bench = new TurnBench({ limits: { nonceLifetime: 700_000 } });
        let share = 0;
        let count = 0;
        bench.loses = () => transport === 'udp' && count++ % 4 < share;
        const client = bench.allocated({ transport });
        bench.advance(10_000);
        for (const step of steps) {
          switch (step.type) {
            case 'permit':
            case 'bind':
            case 'forget':
              client.do({ type: step.type, peer: step.peer } as TurnClientInput);
              break;
            case 'send':
              client.do({ type: 'send', peer: step.peer, data: bytesOf('x') });
              break;
            case 'from peer':
              if (client.last?.type !== 'failed') bench.fromPeer('y', client.relayed, step.peer);
              break;
            case 'wait':
              bench.advance(step.ms);
              break;
            case 'lose':
              share = step.share;
              break;
            case 'restart':
              bench.restartServer({ limits: { nonceLifetime: 700_000 } });
          }
        }
        const ends = client.events.filter(({ type }) => type === 'failed' || type === 'ended');
        expect(ends.length).toBeLessThanOrEqual(1);
        share = 0;
        // After a whole lifetime everything has been refreshed, or was found to be gone.
        bench.advance(700_000);
        expect(bench.server.counters.allocations).toBe(client.last?.type === 'failed' ? 0 : 1);
        expect(bench.sockets.size).toBe(bench.server.counters.allocations);
        if (client.last?.type === 'failed') return;
        // And what is bound now carries data, in both directions.
        const before = [bench.relayed.length, client.received.length];
        client.do({ type: 'bind', peer: PEERS[0]! });
        client.do({ type: 'send', peer: PEERS[0]!, data: bytesOf('at last') });
        bench.fromPeer('answer', client.relayed, PEERS[0]!);
        expect([bench.relayed.length, client.received.length]).toEqual(before.map((length) => length + 1));
        expect(bench.relayed.at(-1)).toEqual({
          from: formatEndpoint(client.relayed),
          to: formatEndpoint(PEERS[0]!),
          text: 'at last',
        });
      }),
      { numRuns: 300 },
    );
  },
);
