import { describe, expect, test } from 'vitest';
import { type AnyActorRef, createActor, fromPromise, setup } from 'xstate';
import { TraversalError } from '../../src/core/errors.ts';
import type { StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import { bindStrategies } from '../../src/flows/compile/bind.ts';
import { compose } from '../../src/flows/compile/compose.ts';
import type { StepInput } from '../../src/flows/compile/contract.ts';
import { defineStrategy } from '../../src/flows/define-strategy.ts';
import { evidence } from '../../src/flows/evidence.ts';
import { fallback } from '../../src/flows/fallback.ts';
import { race } from '../../src/flows/race.ts';
import { retry } from '../../src/flows/retry.ts';
import { sequence } from '../../src/flows/sequence.ts';
import type { StrategyStep } from '../../src/flows/step.ts';
import { when } from '../../src/flows/when.ts';
import { within } from '../../src/flows/within.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { facts, runComposed, ScriptedHost, scripted } from './scripted.ts';

const never = (name: string) => scripted(name);
const fails = (name: string, duration: number) => scripted(name, { duration });
const wins = (name: string, duration: number) => scripted(name, { duration, ok: true });
const bounds = { time: 5_000, packets: 0, sockets: 0 };

describe('in virtual time', () => {
  test('a race starts the next at its stagger or at a failure, and stops the losers when one wins', async () => {
    const { story, output, host } = await runComposed(
      compose('punch', race([never('a'), fails('b', 100), wins('c', 700), never('d')], { stagger: 400 })),
    );
    expect(story).toEqual([
      '0 begin a',
      '400 begin b',
      '500 end b',
      '800 begin c',
      '1200 begin d',
      '1500 end c',
      '1500 abandoned d',
      '1500 abandoned a',
    ]);
    expect(output).toMatchObject({ ok: true, path: 'c', strategy: 'c' });
    expect(output.attempts).toEqual([
      { step: 'punch.race.b.b', strategy: 'b', ok: false, reason: 'b failed', startedAt: 400, endedAt: 500 },
      { step: 'punch.race.d.d', strategy: 'd', ok: false, reason: 'c was faster', code: 'ERR_ABORTED' },
      { step: 'punch.race.c.c', strategy: 'c', ok: true, reason: 'path c', startedAt: 800, endedAt: 1500 },
      { step: 'punch.race.a.a', strategy: 'a', ok: false, reason: 'c was faster', code: 'ERR_ABORTED' },
    ]);
    expect(host.running).toBe(0);
  });

  test('two that succeed at the same moment: the first wins, and no timer is left', async () => {
    const { story, output, pending } = await runComposed(
      compose('punch', race([wins('a', 50), wins('b', 50)], { within: 900 })),
    );
    expect(output).toMatchObject({ ok: true, path: 'a' });
    expect(story.slice(0, 3)).toEqual(['0 begin a', '0 begin b', '50 end a']);
    expect(output.attempts.map(({ strategy, ok }) => `${strategy} ${ok}`)).toEqual(['b false', 'a true']);
    expect(pending).toBe(0);
  });

  test('a strategy is stopped when its own time is over', async () => {
    const { story, output } = await runComposed(
      compose('punch', sequence([scripted('a', { time: 300 }), wins('b', 1)])),
    );
    expect(story).toEqual(['0 begin a', '300 abandoned a', '300 begin b', '301 end b']);
    expect(output).toMatchObject({ ok: true, path: 'b' });
  });

  test('three deep: bounds outside hold for what is inside', async () => {
    const inner = retry(within(200, sequence([fails('a', 50), never('b')])), { times: 2, backoff: 100 });
    const { story, output } = await runComposed(
      compose('punch', fallback(race([inner, never('c')], { within: 1_000 }), wins('d', 10))),
      { jitter: 0 },
    );
    expect(story.filter((line) => line.includes('begin'))).toEqual([
      '0 begin a',
      '0 begin c',
      '50 begin b',
      '281 begin a',
      '331 begin b',
      '1000 begin d',
    ]);
    expect(output).toMatchObject({ ok: true, path: 'd' });
    expect(story).toContain('1000 abandoned c');
  });

  test('nothing succeeds: the machine says why, and has taken no longer than its bounds', async () => {
    const never10 = scripted('a', { time: 10_000 });
    const { output, endedAt } = await runComposed(
      compose(
        'punch',
        within(
          3_000,
          sequence([
            when(
              evidence('pigs fly', () => false),
              wins('z', 0),
            ),
            never10,
          ]),
        ),
      ),
    );
    expect(endedAt).toBe(3_000);
    expect(output).toMatchObject({
      ok: false,
      code: 'ERR_TIMEOUT',
      reason: 'z: skipped: nothing shows that pigs fly; a: not done within 3 s',
    });
  });

  test('a machine that is stopped abandons what runs', async () => {
    const clock = new VirtualClock();
    const host = new ScriptedHost(clock);
    const machine = bindStrategies(compose('punch', race([never('a'), never('b')])), host);
    const actor = createActor(machine, { clock, input: { id: 'c', facts } });
    actor.start();
    expect(host.running).toBe(2);
    actor.stop();
    expect(host.running).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('what a strategy does wrong is its failure', () => {
  const failing = async (run: (input: StrategyInput<'direct'>) => Promise<StrategyResult<'direct'>>) => {
    const strategy = defineStrategy({ name: 'odd', gives: 'direct', bounds, run });
    const { output, host } = await runComposed(compose('punch', strategy));
    expect(host.happenings).toHaveLength(2);
    return output.attempts[0];
  };

  test.for<[string, () => Promise<StrategyResult<'direct'>>, object]>([
    ['rejects', () => Promise.reject(new Error('no luck')), { reason: 'no luck' }],
    [
      'rejects with a code',
      () => Promise.reject(new TraversalError('ERR_PUNCH_EXHAUSTED', 'all pairs failed')),
      { reason: 'all pairs failed', code: 'ERR_PUNCH_EXHAUSTED' },
    ],
    [
      'throws',
      () => {
        throw new RangeError('oh');
      },
      { reason: 'oh' },
    ],
    ['gives nothing', async () => undefined as never, { reason: 'it gave no result: undefined' }],
    ['gives no path', async () => ({ ok: true }) as never, { reason: 'it gave no result: {"ok":true}' }],
    ['gives no reason', async () => ({ ok: false }) as never, { reason: 'it gave no result: {"ok":false}' }],
  ])('it %s', async ([, run, attempt]) => {
    expect(await failing(run)).toMatchObject({ ok: false, ...attempt });
  });

  test('a host that cannot begin a run', async () => {
    class Closed extends ScriptedHost {
      override begin(): never {
        throw new TraversalError('ERR_CLOSED', 'the peer was closed');
      }
    }
    const clock = new VirtualClock();
    const host = new Closed(clock);
    const actor = createActor(bindStrategies(compose('punch', never('a')), host), { clock, input: { id: 'c', facts } });
    actor.start();
    await clock.run();
    expect(actor.getSnapshot().output).toMatchObject({
      ok: false,
      reason: 'a: the peer was closed',
      code: 'ERR_CLOSED',
    });
    expect(host.happenings).toEqual([]);
  });
});

describe('a strategy that is a machine', () => {
  const machine = setup({
    types: {
      input: {} as StrategyInput<'direct'>,
      context: {} as { name: string },
      output: {} as StrategyResult<'direct'>,
    },
    delays: { rest: 250 },
  }).createMachine({
    id: 'knock',
    context: ({ input }) => ({ name: input.role }),
    initial: 'knocking',
    states: { knocking: { after: { rest: 'heard' } }, heard: { type: 'final' } },
    output: ({ context }) => ({ ok: true, path: context.name }),
  });
  const knock = defineStrategy({ name: 'knock', gives: 'direct', bounds, machine });

  test('is given its input, and its output is the result', async () => {
    const { output, story } = await runComposed(compose('punch', knock));
    expect(output).toMatchObject({ ok: true, path: 'dialer', strategy: 'knock' });
    expect(story).toEqual(['0 begin knock', '250 end knock']);
  });

  test('is stopped with its timers when it has lost', async () => {
    const { story, pending } = await runComposed(compose('punch', race([knock, wins('a', 100)])));
    expect(story).toEqual(['0 begin knock', '0 begin a', '100 end a', '100 abandoned knock']);
    expect(pending).toBe(0);
  });

  test('is an actor beneath that of its step, so that an inspector sees it', async () => {
    const clock = new VirtualClock();
    const ids: string[] = [];
    const actor = createActor(bindStrategies(compose('punch', knock), new ScriptedHost(clock)), {
      clock,
      input: { id: 'c', facts },
      inspect: (event) => {
        if (event.type === '@xstate.actor') ids.push((event.actorRef as AnyActorRef).id);
      },
    });
    actor.start();
    await clock.run();
    expect(ids.slice(1)).toEqual(['punch.knock', 'knock']);
  });
});

describe('swapping by .provide()', () => {
  const machine = compose(
    'punch',
    sequence([
      when(
        evidence('pigs fly', () => false),
        wins('a', 10),
      ),
      wins('b', 20),
    ]),
  );

  test('an actor: it stays as the user made it', async () => {
    const swapped = machine.provide({
      actors: {
        b: fromPromise<StrategyResult<'direct'>, StepInput>(async ({ input }) => ({
          ok: true,
          path: `mine, as ${input.strategy}`,
        })),
      },
    });
    const { output, story } = await runComposed(swapped);
    expect(output).toMatchObject({ ok: true, path: 'mine, as b', step: 'punch.sequence.b', strategy: 'b' });
    expect(output.attempts.at(-1)).toMatchObject({ strategy: 'b', ok: true });
    expect(story).toEqual([]);
  });

  test('a guard', async () => {
    const { output } = await runComposed(machine.provide({ guards: { 'pigs fly': () => true } }));
    expect(output).toMatchObject({ ok: true, path: 'a' });
  });

  test('a delay', async () => {
    const quick = compose('punch', scripted('a')).provide({ delays: { 'time of a': 5 } });
    const { endedAt } = await runComposed(quick);
    expect(endedAt).toBe(5);
  });
});

describe('names that every object knows', () => {
  test('are names as others', async () => {
    const named = sequence([
      fails('constructor', 10),
      when(
        evidence('__proto__', () => true),
        wins('valueof', 10),
      ),
    ]);
    const { output, story } = await runComposed(compose('punch', named));
    expect(output).toMatchObject({ ok: true, strategy: 'valueof' });
    expect(story).toEqual(['0 begin constructor', '10 end constructor', '10 begin valueof', '20 end valueof']);
  });

  test('are told apart as others are', async () => {
    const [first, second] = [fails('constructor', 10), wins('constructor', 10)];
    const { story } = await runComposed(compose('punch', race([first, retry(second, { times: 2 })], { stagger: 5 })));
    expect(story).toEqual(['0 begin constructor', '5 begin constructor', '10 end constructor', '15 end constructor']);
  });

  test('have a rank only where one was given', async () => {
    const racing = compose('punch', race([never('a'), wins('constructor', 10)], { stagger: 50 }), { ranked: true });
    expect((await runComposed(racing, { ranks: { a: 1 } })).story[0]).toBe('0 begin constructor');
    expect((await runComposed(racing)).story[0]).toBe('0 begin a');
  });
});

describe('a run that goes on elsewhere', () => {
  const runWith = async (step: StrategyStep<'direct'>, elsewhere: Promise<StrategyResult<'direct'>>) => {
    const clock = new VirtualClock();
    const host = Object.assign(new ScriptedHost(clock), { elsewhere: () => elsewhere });
    const actor = createActor(bindStrategies(compose('punch', step), host), { clock, input: { id: 'c', facts } });
    actor.start();
    await clock.run();
    return { output: actor.getSnapshot().output, story: host.happenings };
  };

  test('is waited for, and ends as that one ends', async () => {
    const { output, story } = await runWith(wins('a', 10), Promise.resolve({ ok: true, path: 'theirs' }));
    expect(output).toMatchObject({ ok: true, path: 'theirs', strategy: 'a' });
    expect(story).toEqual([]);
  });

  test('has failed when that has, or when the time is over', async () => {
    const declined = Promise.reject(new TraversalError('ERR_DECLINED', 'busy'));
    expect((await runWith(wins('a', 10), declined)).output).toMatchObject({ ok: false, code: 'ERR_DECLINED' });
    expect((await runWith(wins('a', 10), new Promise(() => {}))).output).toMatchObject({ code: 'ERR_TIMEOUT' });
  });
});
