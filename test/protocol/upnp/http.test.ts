import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import {
  createHttpRequestReader,
  createHttpResponseReader,
  encodeHttpRequest,
  encodeHttpResponse,
  gatewayUrl,
  type HttpResponse,
  type ReceivedRequest,
} from '../../../src/protocol/upnp/index.ts';

const MAX_BODY = 1_000;

/** Reads a response that comes in pieces; the other side ends after the last. */
function read(...pieces: (string | Uint8Array)[]): HttpResponse {
  const reader = createHttpResponseReader({ maxBody: MAX_BODY });
  for (const piece of pieces) {
    const response = reader.push(Buffer.from(piece));
    if (response !== undefined) return response;
  }
  return reader.end();
}

function text({ status, body }: HttpResponse): string {
  return `${status} ${Buffer.from(body).toString()}`;
}

describe('a response', () => {
  it.each([
    ['of a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', '200 abc'],
    ['of no length', 'HTTP/1.1 500 Internal\r\ncontent-length:0\r\n\r\n', '500 '],
    ['with more than its length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef', '200 abc'],
    ['until the end', 'HTTP/1.0 200 OK\r\n\r\nabc', '200 abc'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n', '200 abc'],
    [
      'in chunks without a trailer’s end',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n',
      '200 abc',
    ],
    ['with lone line feeds', 'HTTP/1.1 200 OK\nContent-Length: 3\n\nabc', '200 abc'],
    ['after an interim one', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length: 1\r\n\r\na', '200 a'],
    ['that has no body', 'HTTP/1.1 204 No Content\r\n\r\n', '204 '],
    ['with blanks around a value', 'HTTP/1.1 200 OK\r\nContent-Length : \t 1 \t\r\n\r\na', '200 a'],
  ])('%s is read, in whatever pieces it comes', (_what, whole, expected) => {
    expect(text(read(whole))).toBe(expected);
    expect(text(read(...whole.split('')))).toBe(expected);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length }), (cut) => {
        expect(text(read(whole.slice(0, cut), whole.slice(cut)))).toBe(expected);
      }),
    );
  });

  it.each([
    ['too long by its own word', 'HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n', 'http/body'],
    ['too long without a word', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_001)}`, 'http/body'],
    [
      'too long in chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1_001)}\r\n0\r\n`,
      'http/body',
    ],
    [
      'of endless small chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(10_000)}`,
      'http/body',
    ],
    [
      'of more extensions than chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`1;${'y'.repeat(200)}\r\nx\r\n`.repeat(100)}`,
      'http/length',
    ],
    ['of an endless head', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(9_000)}`, 'http/head'],
    ['of endless interim ones', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000), 'http/length'],
    ['that ends too early', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', 'http/end'],
    ['that ends in its head', 'HTTP/1.1 200 OK\r\n', 'http/end'],
    ['of another protocol', 'ICY 200 OK\r\n\r\n', 'http/status-line'],
    ['of HTTP/2', 'HTTP/2 200\r\n\r\n', 'http/status-line'],
    ['that folds lines', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n', 'http/field'],
    ['compressed', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'http/transfer-encoding'],
    ['of two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', 'http/content-length'],
    [
      'of a chunk longer than it says',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      'http/chunk',
    ],
    ['of a chunk of 4 GB', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n', 'http/body'],
  ])('%s is refused', (_what, whole, where) => {
    expect(() => read(whole)).toThrow(expect.objectContaining({ where }));
  });
});

describe('what a gateway sends in one piece', () => {
  it('is ignored behind the response, however long it is', () => {
    expect(text(read(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na${'x'.repeat(100_000)}`))).toBe('200 a');
  });

  it('is refused when a value has a NUL', () => {
    expect(() => read('HTTP/1.1 200 OK\r\nX: \0\r\n\r\n')).toThrow(expect.objectContaining({ where: 'http/field' }));
  });
});

describe('a request', () => {
  const url = gatewayUrl('http://192.168.1.1:5000/ctl?a=b', '192.168.1.1')!;

  it('is alone on its connection', () => {
    expect(Buffer.from(encodeHttpRequest({ method: 'GET', url })).toString()).toBe(
      'GET /ctl?a=b HTTP/1.1\r\nHost: 192.168.1.1:5000\r\nConnection: close\r\nUser-Agent: sallyport UPnP/2.0\r\n\r\n',
    );
  });

  it('says how long its body is', () => {
    const body = new TextEncoder().encode('é');
    const request = Buffer.from(
      encodeHttpRequest({ method: 'POST', url, fields: { SOAPAction: '"x"' }, body }),
    ).toString();
    expect(request).toMatch(/^POST [\s\S]*\r\nSOAPAction: "x"\r\nContent-Length: 2\r\n\r\né$/);
  });
});

describe('a URL of a gateway', () => {
  it.each([
    ['/ctl/IPConn', '/ctl/IPConn'],
    ['ctl', '/dir/ctl'],
    ['http://192.168.1.1:49152/x?y=z#w', '/x?y=z'],
    ['//192.168.1.1/x', '/x'],
    ['/a b\r\nX: y', '/a%20bX:%20y'],
  ])('%j is at its address', (given, path) => {
    expect(gatewayUrl(given, '192.168.1.1', 'http://192.168.1.1:5000/dir/desc.xml')).toMatchObject({
      address: '192.168.1.1',
      path,
    });
  });

  it.each([
    'http://192.168.1.2/x',
    'http://router.lan/x',
    '//evil.example/x',
    'https://192.168.1.1/x',
    'file:///etc/passwd',
    'http://user:password@192.168.1.1/x',
    'http://192.168.1.1:0/x',
    'http://192.168.1.1:25/x',
    `/${'<'.repeat(500)}`,
    'http://192.168.1.1:99999/x',
    `/${'x'.repeat(2_000)}`,
    'http://[::1]/x',
  ])('%s is not', (given) => {
    expect(gatewayUrl(given, '192.168.1.1', 'http://192.168.1.1:5000/dir/desc.xml')).toBeUndefined();
  });

  it('is none against a base that is too long', () => {
    expect(gatewayUrl('/x', '192.168.1.1', `http://192.168.1.1/${'x'.repeat(2_000)}`)).toBeUndefined();
  });

  it('may be in other clothes', () => {
    expect(gatewayUrl('http://0xC0A80101/x', '192.168.1.1')?.href).toBe('http://192.168.1.1/x');
    expect(gatewayUrl('http://[::ffff:192.168.1.1]/x', '192.168.1.1')).toMatchObject({ port: 80, path: '/x' });
  });
});

describe('a request, as a gateway reads it', () => {
  const url = gatewayUrl('http://192.168.1.1:5000/ctl?x=1', '192.168.1.1')!;
  const HEAD = 'POST /ctl HTTP/1.1\r\nContent-Length: 3\r\n\r\n';

  function receive(...pieces: (string | Uint8Array)[]): ReceivedRequest | undefined {
    const reader = createHttpRequestReader({ maxBody: MAX_BODY });
    return pieces.map((piece) => reader.push(Buffer.from(piece))).find((request) => request !== undefined);
  }

  it('is what a client sends, however it is cut', () => {
    const bytes = encodeHttpRequest({
      method: 'POST',
      url,
      fields: { SOAPAction: '"a#b"' },
      body: Buffer.from('hello'),
    });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const request = receive(...at.map((start, i) => bytes.subarray(start, at[i + 1])));
        expect(request).toMatchObject({
          method: 'POST',
          path: '/ctl?x=1',
          body: Uint8Array.from(Buffer.from('hello')),
        });
        expect(request?.fields.get('soapaction')).toBe('"a#b"');
      }),
    );
    expect(receive(encodeHttpRequest({ method: 'GET', url }))).toMatchObject({ body: new Uint8Array(0) });
  });

  it('waits for its body, and has no more than that', () => {
    expect(receive(HEAD, 'ab')).toBeUndefined();
    expect(receive(HEAD, 'abc')?.body).toHaveLength(3);
    expect(receive(`${HEAD}abcdef`)?.body).toHaveLength(3);
  });

  it('may be as long as it may be', () => {
    const body = Buffer.alloc(MAX_BODY, 'x');
    const line = 'POST / HTTP/1.1\r\n';
    const length = `\r\nContent-Length: ${MAX_BODY}`;
    const head = `${line}X: ${'y'.repeat(8192 - line.length - length.length - 3)}${length}`;
    expect(head).toHaveLength(8192);
    expect(receive(`${head}\r\n\r\n`, body)?.body).toEqual(Uint8Array.from(body));
    expect(() => receive(`X${head}\r\n\r\n`, body)).toThrow(DecodeError);
  });

  it.each([
    ['a response', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['no path', 'GET x HTTP/1.1\r\n\r\n'],
    ['a body too long', 'POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n'],
    ['a strange length', 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n'],
    ['chunks', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a head without end', 'x'.repeat(8193)],
  ])('is not %s', (_what, text) => {
    expect(() => receive(text)).toThrow(DecodeError);
  });

  it('is answered by a response that a client reads', () => {
    const body = Buffer.from('hello');
    expect(text(read(encodeHttpResponse({ status: 500, body }, 'text/xml')))).toBe('500 hello');
  });
});
