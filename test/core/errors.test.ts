import { describe, expect, it } from 'vitest';
import { asTraversalError, DecodeError, TraversalError } from '../../src/core/errors.ts';

describe('asTraversalError', () => {
  it('leaves our own errors alone', () => {
    const own = new DecodeError('stun/length', '19 bytes');
    expect(asTraversalError(own, 'ERR_NETWORK')).toBe(own);
    expect(own).toMatchObject({
      code: 'ERR_DECODE',
      where: 'stun/length',
      message: 'cannot decode stun/length: 19 bytes',
    });
  });

  it('wraps what is foreign and keeps it as cause', () => {
    const foreign = new Error('boom');
    expect(asTraversalError(foreign, 'ERR_NETWORK')).toMatchObject({
      code: 'ERR_NETWORK',
      message: 'boom',
      cause: foreign,
    });
    expect(asTraversalError('text', 'ERR_NETWORK')).toBeInstanceOf(TraversalError);
    expect(asTraversalError('text', 'ERR_NETWORK')).toMatchObject({ message: 'text', cause: 'text' });
  });
});
