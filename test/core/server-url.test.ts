import { describe, expect, it } from 'vitest';
import { parseServerName } from '../../src/core/server-url.ts';

describe('the name of a server', () => {
  it.each([
    ['meet.example.org', 'meet.example.org'],
    ['Meet.Example.ORG:8790', 'meet.example.org:8790'],
    ['meet.example.org:80', 'meet.example.org'],
    ['meet.example.org:443', 'meet.example.org'],
    ['192.0.2.1:8790', '192.0.2.1:8790'],
    ['[2001:DB8:0:0::1]:8790', '[2001:db8::1]:8790'],
    ['[::443]', '[::443]'],
    ['[::1]:443', '[::1]'],
  ])('of %s is %s', (text, name) => {
    expect(parseServerName(text)).toBe(name);
    expect(parseServerName(name)).toBe(name);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'user@host',
    'host:port',
    'host:70000',
    '2001:db8::1',
    'ws://host',
    'a\\b',
  ])('is not %j', (text) => {
    expect(parseServerName(text)).toBeUndefined();
  });

  it('has at most 255 characters', () => {
    expect(parseServerName(`${'a.'.repeat(120)}example`)).toBeDefined();
    expect(parseServerName(`${'a.'.repeat(130)}example`)).toBeUndefined();
  });
});
