import { isDeepStrictEqual } from 'node:util';
import { type ErrorCode, TraversalError } from '../../../src/core/errors.ts';
import type { Mutator } from './mutate-bytes.ts';

/** One door through which hostile input comes in, and what must hold whatever comes. */
export interface Target {
  /** Lower case with hyphens: it is also the folder of its vectors. */
  readonly name: string;
  /** Well-formed inputs, which mutation starts from. The same in every process. */
  readonly seeds: readonly Uint8Array[];
  readonly mutate: Mutator;
  /**
   * Hands one input to the code and says in a few words what became of it; inputs with a new outcome are mutated further, so outcomes
   * name kinds and hold no numbers of the input. Throws when the code broke a promise. Keeps nothing from one input to the next.
   */
  readonly run: (input: Uint8Array) => string | Promise<string>;
  /** How many inputs it gets where another gets one; 1 when absent. More where an input is quick, little where it is a whole conversation. */
  readonly share?: number;
  /** ms that one input may take, besides what its length takes; 50 when absent. More where it waits for the real clock. */
  readonly maxTime?: number;
}

/** What the code under test promised and did not keep. */
class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** Throws {@link BrokenPromise} unless it holds. `detail` is only asked for when it does not. */
export function must(holds: boolean, promise: string, detail: () => unknown = () => ''): asserts holds {
  if (!holds) throw new BrokenPromise(`${promise} ${show(detail())}`.trim());
}

/** Plain data of any kind is the same, as JSON with bytes and big integers shows it. */
export function mustEqual(actual: unknown, expected: unknown, promise: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const [left, right] = [show(actual), show(expected)];
  must(left === right, promise, () => `${left} is not ${right}`);
}

export type Attempt<T> = { readonly value: T } | { readonly outcome: string };

/** What the action gives, or the outcome that stands for its error; throws on when the error has none of these codes. */
export function attempt<T>(action: () => T, codes: readonly ErrorCode[] = ['ERR_DECODE']): Attempt<T> {
  try {
    return { value: action() };
  } catch (error) {
    if (!(error instanceof TraversalError) || !codes.includes(error.code)) throw error;
    return { outcome: outcomeOf(error) };
  }
}

/** `ERR_DECODE message/candidates/#/endpoint`: numbers tell inputs apart, not kinds of them. */
export function outcomeOf(error: TraversalError): string {
  const where = 'where' in error ? ` ${String(error.where)}` : '';
  return `${error.code}${where.replaceAll(/\/\d+/g, '/#')}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, function (this: Record<string, unknown>, name: string, plain: unknown) {
    const original = this[name];
    if (original instanceof Uint8Array) return `0x${Buffer.from(original).toString('hex')}`;
    if (typeof original === 'bigint') return `${original}n`;
    return original === undefined ? 'undefined' : plain;
  });
}
