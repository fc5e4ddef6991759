import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { RemoteCandidate } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Relay, RelayedSocket } from '../../src/core/relay.ts';
import type { PathEnvironment, StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import { turn } from '../../src/flows/index.ts';
import { manualClock } from '../manual-clock.ts';

/** A relay that gives an address, or refuses, after so many ms. */
interface Plan {
  readonly name: string;
  readonly after: number;
  readonly refuses?: boolean;
}

/** Runs the strategy; `story` is what the relays were asked for and what became of it, each with its time. */
function run(plans: readonly Plan[], remote: readonly Partial<RemoteCandidate>[] = []) {
  const clock = manualClock();
  const abort = new AbortController();
  const story: string[] = [];
  const say = (what: string): void => void story.push(`${clock.now()} ${what}`);
  const relays = plans.map((plan): Relay => {
    const socket = { close: () => say(`${plan.name} given back`), datagrams$: NEVER } as unknown as RelayedSocket;
    return {
      name: plan.name,
      transport: 'turn-udp',
      allocate({ family, signal }) {
        say(`${plan.name} asked for IPv${family}`);
        signal.addEventListener('abort', () => say(`${plan.name} told to stop`));
        return new Promise((resolve, reject) => {
          clock.setTimeout(() => {
            if (plan.refuses) reject(new TraversalError('ERR_RELAY_REFUSED', `${plan.name} refuses`));
            else resolve(Object.assign(socket, { relay: { name: plan.name, transport: 'turn-udp' } }));
          }, plan.after);
        });
      },
    };
  });
  const env = {
    clock,
    relays,
    signal: abort.signal,
    async relayed({ relay }: RelayedSocket) {
      say(`${relay.name} offered`);
      return `path over ${relay.name}`;
    },
  } as unknown as PathEnvironment;
  const input = {
    role: 'dialer',
    policy: 'relay-first',
    local: [],
    remote,
    env,
  } as unknown as StrategyInput<'relayed'>;
  const { logic } = turn().strategy;
  if (!('run' in logic)) throw new Error('it is a function');
  let result: StrategyResult | TraversalError | undefined;
  logic.run({ ...input, behaviors: { mine: unknownBehavior, theirs: unknownBehavior } }).then(
    (given) => {
      result = given;
    },
    (error) => {
      result = error;
    },
  );
  return {
    clock,
    story,
    abort,
    /** Lets time pass, and gives the result so far. */
    async at(time: number) {
      await Promise.resolve();
      for (let now = clock.now(); now < time; now += 50) {
        clock.advance(50);
        for (let i = 0; i < 10; i++) await Promise.resolve();
      }
      return result;
    },
  };
}

describe('turn', () => {
  it('fails at once where the environment has no relay', async () => {
    expect(await run([]).at(50)).toEqual({
      ok: false,
      code: 'ERR_NOT_AVAILABLE',
      reason: 'the environment has no TURN server',
    });
  });

  it('offers the address of the first relay that gives one, and leaves the others alone', async () => {
    const { at, story } = run([
      { name: 'near', after: 100 },
      { name: 'far', after: 100 },
    ]);
    expect(await at(1_000)).toEqual({ ok: true, path: 'path over near' });
    expect(story).toEqual(['0 near asked for IPv4', '100 near told to stop', '100 near offered']);
  });

  it('asks the next one after 500 ms; the slower one gives its address back', async () => {
    const { at, story } = run([
      { name: 'slow', after: 900 },
      { name: 'fast', after: 100 },
    ]);
    expect(await at(1_000)).toEqual({ ok: true, path: 'path over fast' });
    expect(story.filter((line) => !line.includes('told'))).toEqual([
      '0 slow asked for IPv4',
      '500 fast asked for IPv4',
      '600 fast offered',
      '900 slow given back',
    ]);
  });

  it('asks the next one at once when one refuses, and fails when all have, with the words of the last', async () => {
    const { at, story } = run([
      { name: 'one', after: 50, refuses: true },
      { name: 'other', after: 50, refuses: true },
    ]);
    expect(await at(200)).toMatchObject({ code: 'ERR_RELAY_REFUSED', message: 'other refuses' });
    expect(story.slice(0, 2)).toEqual(['0 one asked for IPv4', '50 other asked for IPv4']);
  });

  it('asks for IPv6 where the other side has nothing else', async () => {
    const six = { endpoint: endpoint('2001:db8::1', 1) };
    for (const [remote, family] of [
      [[six], 'IPv6'],
      [[six, { endpoint: endpoint('192.0.2.1', 1) }], 'IPv4'],
    ] as const) {
      const { at, story } = run([{ name: 'one', after: 50 }], remote);
      await at(100);
      expect(story[0]).toBe(`0 one asked for ${family}`);
    }
  });

  it('stops when it is not wanted any more, and gives back what comes then', async () => {
    const { at, abort, story, clock } = run([{ name: 'one', after: 300 }]);
    await at(100);
    abort.abort(new TraversalError('ERR_ABORTED', 'another was faster'));
    expect(await at(150)).toMatchObject({ code: 'ERR_ABORTED', message: 'another was faster' });
    await at(400);
    expect(story).toEqual(['0 one asked for IPv4', '100 one told to stop', '300 one given back']);
    expect(clock.pending).toBe(0);
  });
});
