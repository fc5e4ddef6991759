import type { OutputFrom } from 'xstate';
import type { Bounds, Product, StrategyInput, StrategyResult } from '../core/strategy.ts';
import type { StrategyStep } from './step.ts';
import type { StrategyMachine, TwoSided } from './strategy.ts';
import { boundOf, usage, wholeNumber } from './usage.ts';

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
  readonly twoSided?: TwoSided;
}

/** `unknown` where the logic's output is a result for that product: a check at compile time. */
type GivesResult<M extends StrategyMachine<P>, P extends Product> =
  OutputFrom<M> extends StrategyResult<P> ? unknown : never;

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
  const { name, gives, bounds, twoSided } = spec;
  if (!NAME.test(name)) throw usage(`strategy '${name}'`, 'a name is 1 to 64 of a-z, 0-9 and -, a letter first');
  const place = `strategy ${name}`;
  if (!PRODUCTS.has(gives)) throw usage(`${place}.gives`, `'${gives}' is none of ${[...PRODUCTS].join(', ')}`);
  boundOf(`${place}.bounds.time`, bounds.time, 1);
  boundOf(`${place}.bounds.packets`, bounds.packets, 0);
  boundOf(`${place}.bounds.sockets`, bounds.sockets, 0);
  if (twoSided !== undefined) {
    wholeNumber(`${place}.twoSided.version`, twoSided.version, 1, 65_535);
    if (gives !== 'direct') throw usage(`${place}.twoSided`, 'two sides agree on direct paths only');
  }
  const { run, machine } = spec;
  if ((run === undefined) === (machine === undefined)) throw usage(place, 'it is either a function (run) or a machine');
  const logic = run === undefined ? { machine: machine! } : { run };
  return Object.freeze({
    kind: 'strategy',
    strategy: Object.freeze({ name, gives, bounds, ...(twoSided && { twoSided }), logic }),
  });
}

const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const PRODUCTS: ReadonlySet<Product> = new Set(['candidates', 'mapping', 'direct', 'relayed']);
