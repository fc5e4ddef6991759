import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { pause } from '../../src/core/pause.ts';
import type { Policy } from '../../src/core/policy.ts';
import { defineFlow, type Flow, interfaces, relay, stun } from '../../src/flows/index.ts';
import type { StrategyStep } from '../../src/flows/step.ts';
import type { Connection } from '../../src/peer/connection.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { Peer } from '../../src/peer/peer.ts';
import { internet, simEnvironment } from '../../src/sim.ts';
import { knock } from './knock.ts';

const servers = ['ws://meet:8790'];

/** Two homes and a server on a simulated internet. */
class World {
  readonly #net = internet({ seed: 3 });
  readonly #peers: Peer[] = [];

  constructor() {
    this.#net.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
  }

  get clock() {
    return this.#net.clock;
  }

  async peer(name: string, flow: Flow): Promise<Peer> {
    const home = this.#net.nat(`${name}-home`, { filtering: 'address-and-port-dependent' });
    const peer = await createPeer({ env: simEnvironment(home.host(name), { servers }), flow });
    this.#peers.push(peer);
    return peer;
  }

  /** A connection from `bob` to `alice`, from both ends. */
  async pair(bob: Flow, alice: Flow = bob): Promise<{ here: Connection; there: Connection }> {
    const listener = await this.peer('alice', alice);
    const dialer = await this.peer('bob', bob);
    return connect(dialer, listener);
  }

  run<T>(work: (world: this) => Promise<T>): Promise<T> {
    return this.#net.clock.runUntil(
      (async () => {
        try {
          return await work(this);
        } finally {
          for (const peer of this.#peers) await peer.close();
        }
      })(),
    );
  }
}

async function connect(dialer: Peer, listener: Peer): Promise<{ here: Connection; there: Connection }> {
  const ticket = await listener.createTicket();
  const incoming = firstValueFrom(listener.incoming$);
  const here = dialer.connect(ticket);
  await here.ready;
  return { here, there: await incoming };
}

function flowOf(punch: StrategyStep<'direct'>, policy: Policy = 'relay-first'): Flow {
  return defineFlow({ discover: [interfaces(), stun()], punch, fallback: relay(), policy });
}

function direct({ path$ }: Connection) {
  return firstValueFrom(path$.pipe(filter((path) => path?.kind === 'direct')));
}

describe('a two-sided strategy', () => {
  for (const vouched of [false, true]) {
    it(`makes a path between two peers${vouched ? ', once both keys are proven' : ''}`, () =>
      new World().run(async (world) => {
        const starts: number[] = [];
        const flow = flowOf(knock({ vouched, onStart: (at) => starts.push(at) }));
        const { here, there } = await world.pair(flow);
        for (const path of await Promise.all([direct(here), direct(there)]))
          expect(path).toMatchObject({ strategy: 'knock' });
        expect(starts).toHaveLength(2);
        expect(Math.abs(starts[0]! - starts[1]!)).toBeLessThanOrEqual(2);
        await here.close();
        for (const { attempts } of [await here.verdict, await there.verdict]) {
          expect(attempts.filter(({ strategy }) => strategy === 'knock').map(({ ok }) => ok)).toContain(true);
        }
      }));
  }

  it('works without a relay, by envelopes', () =>
    new World().run(async (world) => {
      const { here } = await world.pair(flowOf(knock(), 'direct-only'));
      expect(await direct(here)).toMatchObject({ strategy: 'knock' });
    }));

  it.each([
    ['does not know it', flowOf(otherStrategy()), 'not in the flow here'],
    ['has another version', flowOf(knock({ version: 2 })), 'version 2 here'],
    ['wants it inside the session only', flowOf(knock({ vouched: true })), 'only inside the session'],
    ['may not run it', flowOf(knock(), 'relay-only'), 'the policy is relay-only'],
  ])('is skipped with a reason when the other side %s', (_, theirs, reason) =>
    new World().run(async (world) => {
      const { here } = await world.pair(flowOf(knock()), theirs);
      await pause(world.clock, 3_000);
      await here.close();
      const attempt = (await here.verdict).attempts.find(({ strategy }) => strategy === 'knock');
      expect(attempt).toMatchObject({
        ok: false,
        reason: expect.stringContaining(`the other side declines: ${reason}`),
      });
    }),
  );

  it.each([false, true])('goes both ways when both dial at once, vouched: %s', (vouched) =>
    new World().run(async (world) => {
      const flow = flowOf(knock({ vouched }));
      const [alice, bob] = [await world.peer('alice', flow), await world.peer('bob', flow)];
      const pairs = await Promise.all([connect(alice, bob), connect(bob, alice)]);
      for (const { here, there } of pairs) {
        for (const path of await Promise.all([direct(here), direct(there)]))
          expect(path).toMatchObject({ strategy: 'knock' });
      }
    }),
  );

  it('ends on both sides with the connection', () =>
    new World().run(async (world) => {
      const aborted: string[] = [];
      const { here } = await world.pair(flowOf(waiting(aborted)));
      await pause(world.clock, 1_000);
      await here.close();
      await pause(world.clock, 1_000);
      expect(aborted.sort()).toEqual(['dialer', 'listener']);
    }));
});

function otherStrategy(): StrategyStep<'direct'> {
  const { strategy } = knock();
  return { kind: 'strategy', strategy: { ...strategy, name: 'ring' } };
}

/** Agrees, and then does nothing. */
function waiting(aborted: string[]): StrategyStep<'direct'> {
  const { strategy } = knock();
  return {
    kind: 'strategy',
    strategy: {
      ...strategy,
      logic: {
        async run({ env, role }) {
          await env.agree();
          return new Promise((_, reject) =>
            env.signal.addEventListener('abort', () => {
              aborted.push(role);
              reject(env.signal.reason);
            }),
          );
        },
      },
    },
  };
}
