import { describe, expect, it } from 'vitest';
import { GatewayError, TraversalError } from '../../src/core/errors.ts';
import { mappingReach } from '../../src/core/port-mapper.ts';

describe('the reach of an external address', () => {
  it.each([
    ['8.8.8.8', 'internet'],
    ['2001:db8::1', 'internet'],
    ['100.64.0.1', 'carrier'],
    ['100.128.0.1', 'internet'],
    ['192.168.1.1', 'private'],
    ['10.0.0.1', 'private'],
    ['169.254.1.1', 'private'],
    ['127.0.0.1', 'private'],
    ['0.0.0.0', 'private'],
    ['fd00::1', 'private'],
  ])('of %s is %s', (address, reach) => {
    expect(mappingReach(address)).toBe(reach);
  });
});

describe('GatewayError', () => {
  it('is a TraversalError that keeps the words of the gateway', () => {
    const error = new GatewayError('ERR_MAPPING_REFUSED', 'no', { result: 'NOT_AUTHORIZED', retryAfter: 30_000 });
    expect(error).toBeInstanceOf(TraversalError);
    expect(error).toMatchObject({ code: 'ERR_MAPPING_REFUSED', result: 'NOT_AUTHORIZED', retryAfter: 30_000 });
    expect(new GatewayError('ERR_MAPPING_REFUSED', 'no', { result: '606' }).retryAfter).toBeUndefined();
  });
});
