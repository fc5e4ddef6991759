import { expect, expectTypeOf, test } from 'vitest';
import { fromPromise, type OutputFrom, setup } from 'xstate';
import type { CandidateEnvironment, PathEnvironment, StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import {
  anySide,
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  fallback,
  interfaces,
  pcp,
  race,
  relay,
  retry,
  type Step,
  type StepOutput,
  sequence,
  stun,
  when,
  within,
} from '../../src/flows/index.ts';

const bounds = { time: 1_000, packets: 0, sockets: 0 };
const discover = interfaces();
const hard = anySide({ mapping: 'address-and-port-dependent' });

/** Never run: the compiler refuses each marked line, and `tsc` fails where it does not. */
function wrong(): void {
  // @ts-expect-error a relayed path is no direct one
  defineFlow({ discover, punch: relay() });
  // @ts-expect-error deep inside, too
  defineFlow({ discover, punch: within(9, when(hard, retry(pcp(), { times: 2 }))) });
  // @ts-expect-error candidates are no mapping
  defineFlow({ discover, punch: checks(), map: stun() });
  // @ts-expect-error all of a sequence give the same
  sequence([checks(), relay()]);
  // @ts-expect-error and of a race
  race([pcp(), checks()]);
  // @ts-expect-error and of a fallback
  fallback(checks(), relay());
  // @ts-expect-error nothing is no sequence
  sequence([]);
  // @ts-expect-error and no race
  race([]);
  // @ts-expect-error and no discovery
  defineFlow({ discover: [], punch: checks() });
  // @ts-expect-error a flow without punching is none
  defineFlow({ discover });
  // @ts-expect-error times are said
  retry(checks(), {});
  // @ts-expect-error what is unknown cannot be asked for
  anySide({ mapping: 'unknown' });
  // @ts-expect-error steps are called
  sequence([checks, checks()]);
  // @ts-expect-error a step is no list of steps
  defineFlow({ discover, punch: [checks(), checks()] });
  // @ts-expect-error evidence has a name
  when(() => true, checks());
  // @ts-expect-error pairs with relays have checks of their own
  checks({ types: ['relay'] });
  // @ts-expect-error one slot is not another
  defaultFlow.with({ punch: defaultFlow.discover });
  // @ts-expect-error two sides agree on direct paths only
  defineStrategy({ name: 'mine', gives: 'relayed', bounds, run: fail, twoSided: { version: 1, vouched: true } });
  // @ts-expect-error a misspelt option
  race([checks()], { staggered: 100 });
  // @ts-expect-error a strategy has bounds
  defineStrategy({ name: 'mine', gives: 'direct', run: async () => ({ ok: true, path: 'p' }) });
  // @ts-expect-error a direct path is told by its id
  defineStrategy({ name: 'mine', gives: 'direct', bounds, run: async () => ({ ok: true }) });
  // @ts-expect-error a function or a machine, not both
  defineStrategy({ name: 'mine', gives: 'direct', bounds, run: async () => ({ ok: true, path: '' }), machine: mine });
  // @ts-expect-error the output of a machine is a result
  defineStrategy({ name: 'mine', gives: 'direct', bounds, machine: fromPromise(async () => 'done') });
  // @ts-expect-error of what the strategy gives
  defineStrategy({ name: 'mine', gives: 'mapping', bounds, machine: mine });
}

const fail = async () => ({ ok: false, reason: 'no' }) as const;

const mine = setup({
  types: { input: {} as StrategyInput<'direct'>, output: {} as StrategyResult<'direct'> },
}).createMachine({ initial: 'idle', states: { idle: { type: 'final' } }, output: { ok: true, path: 'p' } });

test('wrong compositions do not compile, and right ones have exact types', () => {
  expect(wrong).toBeTypeOf('function');
  expectTypeOf(sequence([checks(), when(hard, race([checks(), checks()]))])).toExtend<Step<'direct'>>();
  expectTypeOf(fallback(retry(relay(), { times: 2 }), relay())).toExtend<Step<'relayed'>>();
  expectTypeOf(defineStrategy({ name: 'mine', gives: 'direct', bounds, machine: mine })).toExtend<Step<'direct'>>();
  defineStrategy({
    name: 'mine',
    gives: 'direct',
    bounds,
    run: async ({ env }) => {
      expectTypeOf(env).toEqualTypeOf<PathEnvironment>();
      return { ok: true, path: await env.checks() };
    },
  });
  defineStrategy({
    name: 'mine',
    gives: 'candidates',
    bounds,
    run: async ({ env }) => {
      expectTypeOf(env).toEqualTypeOf<CandidateEnvironment>();
      return { ok: true };
    },
  });
  defineStrategy({ name: 'both', gives: 'direct', bounds, run: fail, twoSided: { version: 1, vouched: true } });
  expectTypeOf<OutputFrom<typeof defaultFlow.punch>>().toEqualTypeOf<StepOutput<'direct'>>();
});
