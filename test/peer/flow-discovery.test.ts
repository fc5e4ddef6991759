import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { matchesState } from 'xstate';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import { pause } from '../../src/core/pause.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { CandidateEnvironment } from '../../src/core/strategy.ts';
import {
  announced,
  checks,
  defineFlow,
  defineStrategy,
  evidence,
  type FlowSpec,
  interfaces,
  relay,
  retry,
  type Step,
  stun,
  when,
} from '../../src/flows/index.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { Reachability } from '../../src/peer/discovery.ts';
import type { Peer } from '../../src/peer/peer.ts';
import { simEnvironment } from '../../src/scenario/index.ts';
import { internet } from '../../src/sim/index.ts';

const SERVERS = ['ws://meet:8790'];

/** A home behind a NAT at 198.51.100.7 with a machine in it, and two servers; `discover` is what a peer on the machine does. */
function homeWith(discover: FlowSpec['discover'], policy: Policy = 'relay-first') {
  const world = internet({ seed: 1 });
  world.host('meet', { services: [{ type: 'rendezvous' }] });
  const server = world.host('stun', { services: [{ type: 'stun' }] });
  const home = world.nat('home', { portAllocation: 'preserve' }, { external: ['198.51.100.7'] });
  const logged: string[] = [];
  const log = (event: string): void => void logged.push(event);
  const env = simEnvironment(home.host('machine'), { servers: SERVERS, stun: ['stun:3478'], mapping: false, log });
  const flow = defineFlow({ discover, punch: checks(), fallback: relay(), policy });
  let asked = 0;
  world.watch(({ place, fate }) => {
    if (place === 'stun' && fate === 'delivered') asked++;
  });
  return {
    world,
    server,
    logged,
    /** Packets that the STUN server was sent. */
    asked: () => asked,
    /** Runs with a peer on the machine, in virtual time. */
    run: (test: (peer: Peer) => Promise<void>): Promise<void> =>
      world.clock.runUntil(
        (async () => {
          await using peer = await createPeer({ env, flow });
          await test(peer);
        })(),
      ),
  };
}

const untilComplete = (peer: Peer): Promise<Reachability> =>
  firstValueFrom(peer.reachability$.pipe(filter(({ complete }) => complete)));

const untilGathered = (peer: Peer): Promise<unknown> =>
  firstValueFrom(peer.state$.pipe(filter((state) => matchesState({ open: { discover: 'gathered' } }, state))));

/** Such as `srflx udp`, each once. */
function kinds({ candidates }: Reachability): readonly string[] {
  return [...new Set(candidates.map(({ type, transport, tcpType }) => [type, transport, tcpType].join(' ').trim()))];
}

/** A strategy of the test. */
function looking(run: (env: CandidateEnvironment) => Promise<void> | void): Step<'candidates'> {
  return defineStrategy({
    name: 'of-mine',
    gives: 'candidates',
    bounds: { time: 5_000, packets: 10, sockets: 1 },
    async run({ env }) {
      await run(env);
      return { ok: true };
    },
  });
}

describe('what a peer finds by its flow', () => {
  it('is there at once, as far as it takes no time', async () => {
    await homeWith([interfaces(), stun()]).run(async (peer) => {
      const first = await firstValueFrom(peer.reachability$);
      expect(kinds(first)).toEqual(['host udp', 'host tcp passive', 'host tcp active']);
      expect(first.complete).toBe(false);
      expect(kinds(await untilComplete(peer))).toContain('srflx udp');
    });
  });

  it('is nothing of the interfaces where these are not looked at', async () => {
    await homeWith(stun()).run(async (peer) => {
      const found = await untilComplete(peer);
      expect(kinds(found)).toEqual(['srflx udp']);
      expect(found.behavior.translated).toBe(true);
    });
  });

  it('is nothing reflexive where nobody is asked', async () => {
    const { run, asked } = homeWith(interfaces());
    await run(async (peer) => {
      expect(kinds(await untilComplete(peer))).not.toContain('srflx udp');
    });
    expect(asked()).toBe(0);
  });

  it('is complete when all have looked, and not before', async () => {
    let end = (): void => {};
    const slow = looking(() => new Promise((resolve) => (end = resolve)));
    const { run, world } = homeWith([interfaces(), stun(), slow]);
    await run(async (peer) => {
      await pause(world.clock, 3_000);
      const found = await firstValueFrom(peer.reachability$);
      expect([kinds(found).includes('srflx udp'), found.complete]).toEqual([true, false]);
      end();
      expect((await untilComplete(peer)).candidates).toEqual(found.candidates);
    });
  });

  it('is nothing, and nobody looks, where the policy hides addresses', async () => {
    const looks: string[] = [];
    const { run, asked } = homeWith([interfaces(), stun(), looking(() => void looks.push('look'))], 'relay-only');
    await run(async (peer) => {
      await untilGathered(peer);
      expect((await firstValueFrom(peer.reachability$)).candidates).toEqual([]);
    });
    expect([looks, asked()]).toEqual([[], 0]);
  });
});

describe('steps of a look', () => {
  it('are tried again where the flow says so', async () => {
    const { run, world, server } = homeWith([interfaces(), retry(stun(), { times: 3, backoff: 500 })]);
    server.stop();
    await run(async (peer) => {
      await pause(world.clock, 2_100);
      server.start();
      const found = await untilComplete(peer);
      expect(kinds(found)).toContain('srflx udp');
      expect(world.clock.now()).toBeLessThan(6_000);
    });
  });

  it('are skipped where what they depend on is not there, and the look goes on', async () => {
    const never = evidence('never', () => false);
    const { run, asked } = homeWith([interfaces(), when(never, stun())]);
    await run(async (peer) => void expect(kinds(await untilComplete(peer))).not.toContain('srflx udp'));
    expect(asked()).toBe(0);
  });

  it('go by what the last look has found', async () => {
    const unknown = evidence('the NAT is unknown', ({ behaviors, local }) => {
      seen.push(local.length);
      return behaviors.mine.evidence.length === 0;
    });
    const seen: number[] = [];
    const { run, world, asked } = homeWith([interfaces(), when(unknown, stun())]);
    await run(async (peer) => {
      const { candidates } = await untilComplete(peer);
      const before = asked();
      await pause(world.clock, 30_000);
      expect([before > 0, asked()]).toEqual([true, before]);
      expect([seen[0], seen.at(-1)]).toEqual([0, candidates.length]);
      // What was reflexive stays told until a server has seen something else.
      expect(kinds(await untilComplete(peer))).toContain('srflx udp');
    });
  });
});

describe('addresses that are announced', () => {
  const of = (found: Reachability): readonly string[] =>
    found.candidates
      .filter(({ type }) => type === 'mapped')
      .map(({ transport, endpoint, base }) => `${transport} ${formatEndpoint(endpoint)} of ${base.address}`);

  it('are candidates of all sockets, by the ports that these have here', async () => {
    await homeWith([interfaces(), announced(['198.51.100.7'])]).run(async (peer) => {
      const found = await untilComplete(peer);
      const hosts = found.candidates.filter(({ type, tcpType }) => type === 'host' && tcpType !== 'active');
      expect(of(found)).toEqual(
        hosts.map(({ transport, endpoint: { address, port } }) => `${transport} 198.51.100.7:${port} of ${address}`),
      );
    });
  });

  it('lead to the UDP socket where they have a port', async () => {
    await homeWith([interfaces(), announced(['198.51.100.7:5000', '198.51.100.8:5000'])]).run(async (peer) => {
      const found = await untilComplete(peer);
      expect(of(found)).toEqual([
        expect.stringMatching(/^udp 198.51.100.7:5000 of /),
        expect.stringMatching(/^udp 198.51.100.8:5000 of /),
      ]);
      const { priority } = found.candidates.find(({ endpoint }) => endpoint.address === '198.51.100.8')!;
      expect(found.candidates.filter((candidate) => candidate.priority === priority)).toHaveLength(1);
    });
  });

  it('are told to the other side, also without a word of a STUN server', async () => {
    const { run, world, asked } = homeWith([interfaces(), announced(['198.51.100.7'])]);
    const outside = simEnvironment(world.host('outside'), { servers: SERVERS });
    await run(async (peer) => {
      await using dialer = await createPeer({ env: outside });
      const connection = dialer.connect(await peer.createTicket());
      await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
      await connection.close();
      const { candidates } = await connection.verdict;
      expect(candidates.remote.filter(({ type }) => type === 'mapped')).toHaveLength(2);
    });
    expect(asked()).toBe(0);
  });

  it('that no socket has the family of are nothing', async () => {
    await homeWith([interfaces(), announced(['2001:db8::7'])]).run(async (peer) => {
      expect(of(await untilComplete(peer))).toEqual([]);
    });
  });

  it.each(['example.org', '0.0.0.0', '224.0.0.1:5000', '198.51.100.7:70000', ''])('cannot be %j', (address) => {
    expect(() => announced([address])).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});

describe('a strategy of one’s own', () => {
  it('that fails or throws costs nobody else anything', async () => {
    const broken = looking(() => {
      throw new RangeError('no');
    });
    await homeWith([broken, interfaces(), stun()]).run(async (peer) => {
      expect(kinds(await untilComplete(peer))).toContain('srflx udp');
    });
  });

  it('has what it leaves open closed, and finds nothing any more when the look is over', async () => {
    const late: CandidateEnvironment[] = [];
    const careless = looking(async (env) => {
      await env.network.udp({ family: 4 });
      late.push(env);
    });
    const { run, logged } = homeWith([careless, stun()]);
    await run(async (peer) => {
      const found = await untilComplete(peer);
      expect([logged, late[0]!.signal.aborted]).toEqual([['strategy.left-open'], true]);
      late[0]!.interfaces();
      expect(await firstValueFrom(peer.reachability$)).toBe(found);
    });
  });
});
