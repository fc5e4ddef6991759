import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/core/errors.ts';
import { decodeRequestHead, MAX_HEAD } from '../../src/server/request-head.ts';

const decode = (text: string) => decodeRequestHead(Buffer.from(text, 'latin1'));

function whereItFails(text: string): string {
  try {
    decode(text);
  } catch (error) {
    if (error instanceof DecodeError) return error.where;
    throw error;
  }
  return 'nowhere';
}

describe('a request head', () => {
  it('is read up to its empty line', () => {
    const head = decode(
      'GET /path?x=1 HTTP/1.1\r\nHost: example.org:80\r\nX-Two:  a b \r\nx-two: c\r\nEmpty:\r\n\r\nrest',
    );
    expect(head).toMatchObject({ method: 'GET', target: '/path?x=1' });
    expect(head?.length).toBe(
      Buffer.from('GET /path?x=1 HTTP/1.1\r\nHost: example.org:80\r\nX-Two:  a b \r\nx-two: c\r\nEmpty:\r\n\r\n')
        .length,
    );
    expect(Object.fromEntries(head!.fields)).toEqual({ host: 'example.org:80', 'x-two': 'a b, c', empty: '' });
  });

  it('is waited for', () => {
    const whole = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    for (let length = 0; length < whole.length; length++) expect(decode(whole.slice(0, length))).toBeUndefined();
    expect(decode(whole)).toBeDefined();
  });

  it.each([
    ['another version', 'GET / HTTP/2.0\r\n\r\n', 'http/request-line'],
    ['no version', 'GET /\r\n\r\n', 'http/request-line'],
    ['an absolute target', 'GET http://a/ HTTP/1.1\r\n\r\n', 'http/request-line'],
    ['a method in small letters', 'get / HTTP/1.1\r\n\r\n', 'http/request-line'],
    ['two spaces', 'GET  / HTTP/1.1\r\n\r\n', 'http/request-line'],
    ['an empty line before it', '\r\nGET / HTTP/1.1\r\n\r\n', 'http/request-line'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 'http/request-line'],
    ['white space before a colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 'http/field'],
    ['a folded line', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 'http/field'],
    ['a bare LF', 'GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n', 'http/field'],
    ['a bare CR', 'GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n', 'http/field'],
    ['a NUL', 'GET / HTTP/1.1\r\nA: b\0\r\n\r\n', 'http/field'],
    ['no name', 'GET / HTTP/1.1\r\n: b\r\n\r\n', 'http/field'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 'http/host'],
    ['too many bytes', `GET / HTTP/1.1\r\nA: ${'b'.repeat(MAX_HEAD)}\r\n\r\n`, 'http/length'],
    ['too many bytes without an end', 'G'.repeat(MAX_HEAD), 'http/length'],
  ])('with %s is refused', (_name, text, where) => {
    expect(whereItFails(text)).toBe(where);
  });

  it('never throws anything but DecodeError, and takes no more than it says', () => {
    const piece = fc.oneof(
      fc.constantFrom('GET ', '/', ' HTTP/1.1', '\r\n', '\r', '\n', 'Host:', ' ', '\0', 'a'.repeat(3_000)),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(''), 'latin1');
        try {
          const head = decodeRequestHead(bytes);
          if (head === undefined) return;
          expect(head.length).toBeLessThanOrEqual(Math.min(bytes.length, MAX_HEAD));
          expect(bytes.toString('latin1', head.length - 4, head.length)).toBe('\r\n\r\n');
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
