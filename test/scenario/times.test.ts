import { describe, expect, it } from 'vitest';
import { type DialOutcome, type HomesOptions, homes, runScenario, type Scenario } from '../../src/scenario/index.ts';
import type { NatSpec } from '../../src/sim/index.ts';

const APD_APD: NatSpec = { mapping: 'address-and-port-dependent' };

const times = ({ ready, firstEcho, direct }: DialOutcome) => [ready, firstEcho, direct];
const run = async (scenario: Scenario): Promise<DialOutcome> => (await runScenario(scenario)).dials[0]!;

/**
 * 20 ms one way on each link to the internet: R, by the relay and back, and D, directly and back, are 80 ms, S, to the server and back,
 * 40. The laboratory of real kernels measures the same plus the work of both ends, some 15 ms.
 */
describe('times of a dial where both sides know the server already: session, first echo, direct path', () => {
  it.each<[string, HomesOptions, readonly (number | undefined)[]]>([
    // The handshake takes R, the echo one more; R/2 until both check, then D.
    ['EI/APD x EI/APD', { a: {}, b: {} }, [80, 160, 120]],
    ['public x public', { a: [], b: [] }, [80, 160, 120]],
    // The dialer has to learn the port that the listener has for it, and checks that anew: D more.
    ['EI/AD x APD/APD', { a: { filtering: 'address-dependent' }, b: APD_APD }, [80, 160, 160]],
    ['APD/APD x EI/EI', { a: APD_APD, b: { filtering: 'endpoint-independent' } }, [80, 160, 120]],
    ['APD/APD x APD/APD', { a: APD_APD, b: APD_APD }, [80, 160, undefined]],
    // S to tell of the dial, and nothing beyond that.
    ['one LAN', { a: [], b: [], shared: {} }, [40, 40, 40]],
  ])('%s', async (_, options, expected) => {
    expect(times(await run(homes(options)))).toEqual(expected);
  });

  it('follow the delay of the links', async () => {
    expect(times(await run(homes({ a: {}, b: {}, link: { latency: 50 } })))).toEqual([200, 400, 300]);
  });

  it('by key: S more, for the contact of the other side, and R until both check, which without a ticket know nothing before', async () => {
    const { dials, ...scenario } = homes({ a: {}, b: {} });
    const dial = await run({ ...scenario, dials: dials.map((one) => ({ ...one, by: 'key' })) });
    expect(times(dial)).toEqual([120, 200, 200]);
  });

  it('without a relay: the handshake follows the direct path', async () => {
    const { peers, ...scenario } = homes({ a: {}, b: {} });
    const dial = await run({ ...scenario, peers: peers.map((peer) => ({ ...peer, policy: 'direct-only' })) });
    expect(times(dial)).toEqual([160, 240, 120]);
  });
});

describe('discovery', () => {
  it('tells each address as soon as a server has answered, and that it is complete when all have', async () => {
    const told: string[] = [];
    await runScenario(homes({ a: {}, b: [], mapping: false }), {
      watch(event) {
        if (event.type !== 'reachability' || event.who !== 'a') return;
        const { candidates, complete } = event.reachability;
        const udp = candidates.filter(({ transport }) => transport === 'udp').map(({ type }) => type);
        told.push(`${event.at} ${udp.join()}${complete ? ' complete' : ''}`);
      },
    });
    // TCP and the upgrade take 2 S, the first answers of STUN one more, those of the server's other address another.
    expect(told).toEqual(['0 host', '120 host,srflx', '160 host,srflx complete']);
  });
});
