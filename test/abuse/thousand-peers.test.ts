import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { checks, defaultFlow, defineFlow } from '../../src/index.ts';
import { type Outcome, runScenario, type Scenario } from '../../src/scenario/index.ts';
import { forecast, type NatSpec } from '../../src/sim/index.ts';
import { flowTechniques } from '../../src/testing/matrix/flow-techniques.ts';

const PAIRS = 500;
const WARM_UP = 10;
/** ms of virtual time: when the first pair is dialled, and when all that could be made direct has long been so. */
const [FIRST, ALL_MADE] = [2_000, 30_000];
/** ms between two dials. */
const PACE = 20;
/**
 * Heap and buffers of a peer with its NAT, its host, its connection, and its share of the server and of what this test is told of it.
 * Measured: 360 KiB with Node 20, of which much is the charts' own.
 */
const KIB_A_PEER = 500;
/** What may be left when all is over, of 350: the outcome, and what V8 keeps of code and shapes. Measured: 41. */
const MIB_AFTERWARDS = 80;
const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
const KINDS: readonly NatSpec[] = DEPENDENCES.flatMap((mapping) =>
  DEPENDENCES.map((filtering) => ({ mapping, filtering, portAllocation: 'random' as const })),
);
/** Without sprays: what those leave in the tables of simulated NATs would be most of what is measured here. */
const CHECKS = defineFlow({ ...defaultFlow.spec, punch: checks() });
const IN_THE_FLOW = flowTechniques(CHECKS);

/** Peer 2n behind one kind of NAT dials peer 2n+1 behind another: all 81 ordered pairs of kinds, over and over. */
function peersInPairs(pairs: number): Scenario {
  const names = Array.from({ length: 2 * pairs }, (_, i) => `p${i}`);
  const kindOf = (i: number): NatSpec => KINDS[Math.floor(i / 2 / (i % 2 === 0 ? 1 : KINDS.length)) % KINDS.length]!;
  const uplink = { latency: 20 };
  return {
    internet: {
      seed: 'a thousand',
      networks: names.map((name, i) => ({ name: `${name}-home`, nat: kindOf(i), uplink })),
      hosts: [
        {
          name: 'server',
          interfaces: [{ network: 'internet', addresses: ['192.0.2.10', '192.0.2.11'], link: {} }],
          services: [
            { type: 'stun', alternate: true },
            { type: 'rendezvous', port: 443 },
          ],
        },
        ...names.map((name) => ({ name, interfaces: [{ network: `${name}-home` }] })),
      ],
    },
    peers: names.map((name) => ({ name, host: name, mapping: false, flow: 'checks' })),
    dials: Array.from({ length: pairs }, (_, i) => {
      const at = FIRST + i * PACE;
      return { at, from: `p${2 * i}`, to: `p${2 * i + 1}`, lasts: ALL_MADE + 1_000 - at };
    }),
  };
}

/** What the oracle says of a pair: `direct` where the flow is sure to get there, `relayed` where it cannot, else either. */
function expectedOf({ internet }: Scenario, from: string, to: string): readonly Outcome['dials'][number]['outcome'][] {
  const isTheirs = ({ name }: { readonly name: string }): boolean =>
    [from, to].some((peer) => name === peer || name === `${peer}-home`);
  const topology = { networks: internet.networks!.filter(isTheirs), hosts: internet.hosts!.filter(isTheirs) };
  const prospects = forecast(topology, from, to).prospects.filter(({ technique }) => IN_THE_FLOW.includes(technique));
  if (prospects.some(({ probability }) => probability === 1)) return ['direct'];
  return prospects.some(({ bestProbability }) => bestProbability > 0) ? ['direct', 'relayed'] : ['relayed'];
}

let collect: () => void;

function mebibytesHeld(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe('a thousand peers in one simulated internet', () => {
  const scenario = peersInPairs(PAIRS);
  const flows = { checks: CHECKS };
  let outcome: Outcome;
  let [before, together, afterwards] = [0, 0, 0];

  beforeAll(async () => {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
    // What the code itself takes is there from now on.
    await runScenario(peersInPairs(WARM_UP), { flows });
    before = mebibytesHeld();
    outcome = await runScenario(scenario, {
      flows,
      watch({ at }) {
        if (at >= ALL_MADE && together === 0) together = mebibytesHeld();
      },
    });
    await turn();
    afterwards = mebibytesHeld();
  }, 600_000);

  it('connect pairwise, each pair as the oracle says', () => {
    const wrong = outcome.dials.flatMap(({ from, to, outcome: got, error }) => {
      const expected = expectedOf(scenario, from, to);
      return expected.includes(got) && error === undefined ? [] : [{ from, to, expected, got, error }];
    });
    expect(wrong).toEqual([]);
    expect(outcome.dials.every(({ firstEcho }) => firstEcho !== undefined)).toBe(true);
  });

  it(`take less than ${KIB_A_PEER} KiB each while all are connected`, () => {
    expect(((together - before) * 1024) / (2 * PAIRS)).toBeLessThan(KIB_A_PEER);
  });

  it('release everything', () => {
    expect(outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
    expect(afterwards - before).toBeLessThan(MIB_AFTERWARDS);
  });
});
