import { describe, expect, it } from 'vitest';
import { systemError } from '../../../src/adapters/node/system-error.ts';
import { TraversalError } from '../../../src/core/errors.ts';

describe('systemError', () => {
  it.each([
    ['EACCES', 'ERR_PORT_NOT_PERMITTED'],
    ['EADDRINUSE', 'ERR_PORT_IN_USE'],
    ['EADDRNOTAVAIL', 'ERR_NETWORK'],
    ['EAI_AGAIN', 'ERR_RESOLVE'],
    ['ECONNREFUSED', 'ERR_CONNECTION_REFUSED'],
    ['ECONNRESET', 'ERR_CONNECTION_RESET'],
    ['EHOSTUNREACH', 'ERR_NETWORK'],
    ['ENETUNREACH', 'ERR_NETWORK'],
    ['ENOTFOUND', 'ERR_RESOLVE'],
    ['EPIPE', 'ERR_CONNECTION_RESET'],
    ['ETIMEDOUT', 'ERR_TIMEOUT'],
    ['ESOMETHINGELSE', 'ERR_NETWORK'],
  ])('gives %s the code %s, says what was done, keeps the cause', (systemCode, code) => {
    const cause = Object.assign(new Error('the system’s words'), { code: systemCode });
    const error = systemError(cause, 'binding TCP port 80');
    expect(error).toMatchObject({ code, cause });
    expect(error.message).toMatch(new RegExp(`^binding TCP port 80: .+ \\(${systemCode}\\)$`));
  });

  it('leaves our own errors alone', () => {
    const own = new TraversalError('ERR_ABORTED', 'aborted');
    expect(systemError(own, 'connecting')).toBe(own);
  });

  it('makes do with what is no error of the system', () => {
    expect(systemError('text', 'connecting')).toMatchObject({ code: 'ERR_NETWORK', cause: 'text' });
    expect(systemError(new Error('odd'), 'connecting').message).toBe('connecting: odd (no system code)');
  });
});
