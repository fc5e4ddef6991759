import type { AnyActorLogic, OutputFrom } from 'xstate';
import type { Bounds, Product, StrategyInput, StrategyResult } from '../core/strategy.ts';
import { isActorLogic } from './logic-shape.ts';
import type { StrategyStep } from './step.ts';
import {
  STRATEGY_NAME,
  type StrategyFunction,
  type StrategyLogic,
  type StrategyMachine,
  type TwoSided,
} from './strategy.ts';
import { boundOf, fieldsOf, shown, usage, wholeNumber, wordOf } from './usage.ts';

/** A strategy is a function (`run`) or a machine. */
export type StrategySpec<
  P extends Product = Product,
  M extends StrategyMachine<P> = StrategyMachine<P>,
> = StrategyFrame<P> &
  (
    | { readonly run: (input: StrategyInput<P>) => Promise<StrategyResult<P>>; readonly machine?: never }
    | { readonly machine: M & GivesResult<M, P>; readonly run?: never }
  );

export interface StrategyFrame<P extends Product> {
  /** 1..64 lower case letters, digits and hyphens, a letter first. */
  readonly name: string;
  readonly gives: P;
  /** `time` from 1 ms, `packets` and `sockets` from 0. `Infinity` is a bound that some step around it has to set. */
  readonly bounds: Bounds;
  /** `version` in 1..65535. Only for what gives a direct path. */
  readonly twoSided?: P extends 'direct' ? TwoSided : never;
}

/** `unknown` where the logic's output is a result for that product: a check at compile time, which names what is wrong. */
type GivesResult<M extends StrategyMachine<P>, P extends Product> =
  OutputFrom<M> extends StrategyResult<P> ? unknown : { readonly 'its output is no StrategyResult': OutputFrom<M> };

/**
 * A strategy of one's own, ready to stand in a flow. One that takes options is a function that calls this. Errors: `ERR_USAGE`, naming
 * the strategy and the field.
 *
 * ```ts
 * const lan = defineStrategy({
 *   name: 'lan',
 *   gives: 'direct',
 *   bounds: { time: 2_000, packets: 0, sockets: 0 },
 *   run: async ({ env }) => ({ ok: true, path: await env.checks({ types: ['host'] }) }),
 * });
 * ```
 */
export function defineStrategy<P extends Product, M extends StrategyMachine<P> = StrategyMachine<P>>(
  spec: StrategySpec<P, M>,
): StrategyStep<P> {
  const { name, gives, bounds, twoSided, run, machine } = fieldsOf('strategy', spec, FIELDS);
  if (typeof name !== 'string' || !STRATEGY_NAME.test(name)) {
    throw usage(`strategy ${shown(name)}`, 'a name is 1 to 64 of a-z, 0-9 and -, a letter first');
  }
  const place = `strategy ${name}`;
  const strategy = {
    name,
    gives: wordOf(`${place}.gives`, gives, PRODUCTS as readonly P[]),
    bounds: boundsOf(`${place}.bounds`, bounds),
    ...(twoSided !== undefined && { twoSided: twoSidedOf(`${place}.twoSided`, twoSided) }),
    logic: logicOf(place, run, machine),
  };
  if (strategy.twoSided !== undefined && gives !== 'direct') {
    throw usage(`${place}.twoSided`, 'two sides agree on direct paths only');
  }
  return Object.freeze({ kind: 'strategy', strategy: Object.freeze(strategy) });
}

function boundsOf(place: string, bounds: Bounds): Bounds {
  const { time, packets, sockets } = fieldsOf(place, bounds, ['time', 'packets', 'sockets']);
  return Object.freeze({
    time: boundOf(`${place}.time`, time, 1),
    packets: boundOf(`${place}.packets`, packets, 0),
    sockets: boundOf(`${place}.sockets`, sockets, 0),
  });
}

function twoSidedOf(place: string, twoSided: TwoSided): TwoSided {
  const { version, vouched } = fieldsOf(place, twoSided, ['version', 'vouched']);
  if (typeof vouched !== 'boolean') throw usage(`${place}.vouched`, `${shown(vouched)} is neither true nor false`);
  return Object.freeze({ version: wholeNumber(`${place}.version`, version, 1, 65_535), vouched });
}

function logicOf<P extends Product>(
  place: string,
  run: StrategyFunction<P>['run'] | undefined,
  machine: AnyActorLogic | undefined,
): StrategyLogic<P> {
  if ((run === undefined) === (machine === undefined)) throw usage(place, 'it is either a function (run) or a machine');
  if (run === undefined) {
    if (!isActorLogic(machine)) throw usage(`${place}.machine`, `${shown(machine)} is no logic of an actor`);
    return Object.freeze({ machine });
  }
  if (typeof run !== 'function') throw usage(`${place}.run`, `${shown(run)} is no function`);
  return Object.freeze({ run });
}

const FIELDS = ['name', 'gives', 'bounds', 'twoSided', 'run', 'machine'] as const;
const PRODUCTS: readonly Product[] = ['candidates', 'mapping', 'direct', 'relayed'];
