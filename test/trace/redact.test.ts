import { describe, expect, it } from 'vitest';
import { TraversalError } from '../../src/core/errors.ts';
import { redact } from '../../src/trace/index.ts';

const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256);
const hex = Buffer.from(bytes).toString('hex');

describe('redact', () => {
  it('leaves what traces are about as it is', () => {
    const facts = {
      type: 'path.validated',
      path: { id: 'udp/0/192.0.2.1:5-198.51.100.2:6', rtt: 12.5, remote: '[2001:db8::1]:443', kept: true, none: null },
      candidates: [{ address: '203.0.113.9:1024' }],
      code: 'ERR_MAPPING_UNAVAILABLE',
      value: { traversing: { discover: 'gathering', punch: 'checking' } },
      server: 'wss://meet.example.org:8790/',
      delay: 'xstate.after.traversing.connection.traversing',
    };
    expect(redact(facts)).toEqual(facts);
  });

  it('tells of bytes how many there are', () => {
    expect(redact([bytes, Buffer.from(bytes), bytes.buffer])).toEqual(['[32 bytes]', '[32 bytes]', '[32 bytes]']);
  });

  it.each([
    'secret',
    'ticketSecret',
    'password',
    'pwd',
    'token',
    'key',
    'remoteKey',
    'privateKeyPem',
    'credential',
    'nonce',
    'handle',
    'ticket',
    'signature',
    'payload',
    'data',
    'envelope',
  ])('hides a field that is called %s, whatever it holds', (name) => {
    expect(redact({ [name]: { a: 1 }, other: 1 })).toEqual({ [name]: '[redacted]', other: 1 });
  });

  it.each([
    ['a ticket', `use sp1${Buffer.from([...bytes, ...bytes]).toString('base64url')} now`, 'use [redacted] now'],
    ['hex', `key ${hex}.`, 'key [redacted].'],
    ['base64', `key ${Buffer.from(bytes).toString('base64')}.`, 'key [redacted].'],
    ['base64url', `key ${Buffer.from(bytes).toString('base64url')}.`, 'key [redacted].'],
    ['a TURN password', 'no answer from turn:ann:hush@relay.example:3478', 'no answer from turn:relay.example:3478'],
    ['one with slashes and other marks', 'turn:al/ice:p@ss/w?rd@t.example, twice', 'turn:t.example, twice'],
    ['one over TLS', 'turns:ann:a/b@relay.example?transport=tcp', 'turns:relay.example?transport=tcp'],
    ['a URL’s password with a mark', 'cannot dial nats://ann:hu@sh@host:4222/a@b', 'cannot dial nats://host:4222/a@b'],
    ['a URL’s password', 'cannot dial nats://ann:hush@host:4222/', 'cannot dial nats://host:4222/'],
    ['a parameter', 'GET wss://host/?token=hush&x=1', 'GET wss://host/?token=[redacted]&x=1'],
  ])('hides %s in a text', (_, text, shown) => {
    expect(redact(text)).toBe(shown);
    expect(redact(new TraversalError('ERR_NETWORK', text))).toEqual({
      name: 'TraversalError',
      code: 'ERR_NETWORK',
      message: shown,
    });
  });

  it('shortens the id of a connection to what its actor goes by', () => {
    expect(redact({ id: hex.slice(0, 32), other: hex.slice(0, 32) })).toEqual({
      id: hex.slice(0, 8),
      other: '[redacted]',
    });
  });

  it('gives plain data of everything else: it survives JSON', () => {
    class Socket {
      readonly secretPlace = 'x';
    }
    const shown = redact({
      f: () => 1,
      gone: undefined,
      big: 2n ** 64n,
      far: Infinity,
      map: new Map(),
      s: new Socket(),
    });
    expect(shown).toEqual({ big: '18446744073709551616', far: 'Infinity', map: '[Map]', s: '[Socket]' });
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
  });

  it('cuts what is too long or too deep, or has itself in it', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(JSON.stringify(redact(loop))).toMatch(/^({"self":){12}"\[…\]"}{12}$/);
    expect(redact('x '.repeat(5_000))).toHaveLength(2_003);
    expect(redact(Array(1_000).fill(1))).toHaveLength(201);
  });

  it('cuts no secret in half, which would not be known for one then', () => {
    for (const before of [1_900, 1_980, 1_995]) {
      const text = `${'x '.repeat(before / 2)}turn:ann:${'hush'.repeat(40)}@relay.example ${'x '.repeat(2_000)}`;
      expect(redact(text)).not.toContain('hush');
    }
  });
});
