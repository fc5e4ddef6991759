import { describe, expect, it } from 'vitest';
import { turnRelay } from '../../../src/adapters/relay/turn.ts';
import { parseTurnUrl } from '../../../src/adapters/relay/turn-url.ts';

const SECRET = 'wonderland';

describe('the URL of a TURN server', () => {
  it.each([
    ['turn:alice:wonderland@turn.example.org:5000', { host: 'turn.example.org', port: 5000 }],
    ['turn:alice:wonderland@turn.example.org', { port: 3478, transport: 'udp' }],
    ['turn:alice:wonderland@192.0.2.1?transport=tcp', { host: '192.0.2.1', transport: 'tcp' }],
    ['turn:alice:wonderland@192.0.2.1:80?transport=udp', { port: 80, transport: 'udp' }],
    ['TURN:alice:wonderland@[2001:db8::1]:80', { host: '2001:db8::1', port: 80 }],
    ['turn:alice:wonderland@[2001:db8::1]', { host: '2001:db8::1', port: 3478 }],
    ['turn:alice:won:der@la/nd?@192.0.2.1', { password: 'won:der@la/nd?' }],
    ['turn:1700000000%3Aalice:100%25@192.0.2.1', { user: '1700000000:alice', password: '100%' }],
    ['turn:%C3%A4lice:wonderland@192.0.2.1', { user: 'älice' }],
  ])('%s', (url, parts) => {
    expect(parseTurnUrl(url)).toMatchObject(parts);
  });

  it.each([
    ['turn.example.org:3478', 'does not begin with turn:'],
    ['turn://alice:wonderland@192.0.2.1', 'does not begin with turn:'],
    ['turn:192.0.2.1:3478', 'no user:password@'],
    ['turn:alice@192.0.2.1', 'no password'],
    ['turn::wonderland@192.0.2.1', 'user must have'],
    [`turn:${'a'.repeat(509)}:wonderland@192.0.2.1`, 'user must have'],
    ['turn:alice:@192.0.2.1', 'password is empty'],
    ['turn:alice:wonderland%@192.0.2.1', 'password is not followed by two hex digits'],
    ['turn:%FF:wonderland@192.0.2.1', 'user is not followed by two hex digits'],
    ['turn:alice:wonderland@', 'host is no name'],
    ['turn:alice:wonderland@two words', 'host is no name'],
    ['turn:alice:wonderland@[]:1', 'host is no name'],
    ['turn:alice:wonderland@192.0.2.1:port', 'not written host:port'],
    ['turn:alice:wonderland@2001:db8::1', 'not written host:port'],
    ['turn:alice:wonderland@192.0.2.1:', 'not written host:port'],
    ['turn:alice:wonderland@192.0.2.1:0', 'port is not one of'],
    ['turn:alice:wonderland@192.0.2.1:65536', 'port is not one of'],
    ['turn:alice:wonderland@192.0.2.1?transport=tls', 'only ?transport='],
    ['turn:alice:wonderland@192.0.2.1?', 'only ?transport='],
  ])('%s is none: %s', (url, problem) => {
    const thrown = catchError(() => turnRelay(url));
    expect(thrown).toMatchObject({ code: 'ERR_USAGE', message: expect.stringContaining(problem) });
    expect(String(thrown)).not.toContain(SECRET);
    expect(thrown).not.toHaveProperty('cause');
  });

  it('over TLS is not available', () => {
    const thrown = catchError(() => turnRelay('turns:alice:wonderland@192.0.2.1'));
    expect(thrown).toMatchObject({ code: 'ERR_NOT_AVAILABLE', message: expect.stringContaining('transport=tcp') });
    expect(String(thrown)).not.toContain(SECRET);
  });

  it('may come in parts, which are read as strictly', () => {
    const alice = { host: '192.0.2.1', user: 'alice', password: 'wonderland' };
    expect(() => turnRelay(alice)).not.toThrow();
    for (const wrong of [
      { host: 'alice@192.0.2.1' },
      { host: '[2001:db8::1]' },
      { port: 0.5 },
      { user: '' },
      { password: '' },
      { transport: 'tls' as 'tcp' },
    ]) {
      const thrown = catchError(() => turnRelay({ ...alice, ...wrong }));
      expect(thrown).toMatchObject({ code: 'ERR_USAGE' });
      expect(String(thrown)).not.toContain(SECRET);
    }
  });
});

function catchError(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
