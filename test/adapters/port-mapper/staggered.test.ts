import { describe, expect, it } from 'vitest';
import { staggered } from '../../../src/adapters/port-mapper/staggered.ts';
import { Deferred } from '../../../src/core/deferred.ts';
import { type ErrorCode, GatewayError, TraversalError } from '../../../src/core/errors.ts';
import { manualClock } from '../../manual-clock.ts';
import { settled } from './memory-network.ts';

function race(attempts: number, signal?: AbortSignal) {
  const clock = manualClock();
  const started: { readonly at: number; readonly signal: AbortSignal }[] = [];
  const outcomes = Array.from({ length: attempts }, () => new Deferred<() => string>());
  const discarded: string[] = [];
  const result = staggered(
    outcomes.map(({ promise }) => async (stop) => {
      started.push({ at: clock.now(), signal: stop });
      return (await promise)();
    }),
    { clock, stagger: 250, signal, discard: (late) => discarded.push(late) },
  );
  const succeed = (index: number, value: string): void => outcomes[index]!.resolve(() => value);
  const fail = (index: number, error: TraversalError): void =>
    outcomes[index]!.resolve(() => {
      throw error;
    });
  return { clock, started, succeed, fail, discarded, result };
}

const failure = (code: ErrorCode): TraversalError => new TraversalError(code, code);

describe('staggered attempts', () => {
  it('start one after the other, until the first success aborts the rest', async () => {
    const { clock, started, succeed, result } = race(4);
    clock.advance(600);
    expect(started.map(({ at }) => at)).toEqual([0, 250, 500]);
    succeed(1, 'second');
    expect(await result).toBe('second');
    expect(started.every(({ signal }) => signal.aborted)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('do not wait for one that has failed', async () => {
    const { started, fail } = race(2);
    fail(0, failure('ERR_NETWORK'));
    await settled();
    expect(started.map(({ at }) => at)).toEqual([0, 0]);
  });

  it('hand back what comes too late', async () => {
    const { clock, succeed, discarded, result } = race(2);
    clock.advance(250);
    succeed(0, 'first');
    succeed(1, 'second');
    expect(await result).toBe('first');
    await settled();
    expect(discarded).toEqual(['second']);
  });

  it.each<[string, TraversalError[], string]>([
    [
      'of a refusal rather than of silence',
      [failure('ERR_MAPPING_UNAVAILABLE'), failure('ERR_MAPPING_REFUSED')],
      'ERR_MAPPING_REFUSED',
    ],
    ['of the first among equals', [failure('ERR_MAPPING_REFUSED'), failure('ERR_NETWORK')], 'ERR_MAPPING_REFUSED'],
  ])('tell %s', async (_what, errors, code) => {
    const { clock, fail, result } = race(2);
    const outcome = expect(result).rejects.toMatchObject({ code });
    clock.advance(250);
    for (const [index, error] of errors.entries()) fail(index, error);
    await outcome;
  });

  it('tell what a gateway said rather than that another was silent', async () => {
    const { clock, fail, result } = race(2);
    const outcome = expect(result).rejects.toBeInstanceOf(GatewayError);
    clock.advance(250);
    fail(0, failure('ERR_MAPPING_UNAVAILABLE'));
    fail(1, new GatewayError('ERR_MAPPING_UNAVAILABLE', 'no', { result: 'UNSUPP_VERSION' }));
    await outcome;
  });

  it('are aborted by the caller', async () => {
    const caller = new AbortController();
    const { started, fail, result } = race(1, caller.signal);
    caller.abort();
    expect(started[0]!.signal.aborted).toBe(true);
    fail(0, failure('ERR_ABORTED'));
    await expect(result).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
