import { createChunkedBody } from '../../../src/protocol/upnp/chunked-body.ts';
import {
  createHttpRequestReader,
  createHttpResponseReader,
  type HttpResponse,
  type ReceivedRequest,
} from '../../../src/protocol/upnp/index.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

/** Bytes. */
const MAX_BODY = 2000;

const chunked = '5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n';

/** What a gateway says over TCP: however it is cut, it is the same response or the same refusal, and no long one. */
export const httpResponse: Target = {
  name: 'http-response',
  share: 0.2,
  seeds: [
    'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 12\r\n\r\nhello, world',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    'HTTP/1.0 500 Internal Server Error\r\nConnection: close\r\n\r\nhello',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\nX:z \r\n\r\n',
    'HTTP/1.1 200\nContent-Length: 1\n\na and more',
  ].map((text) => Buffer.from(text, 'latin1')),
  mutate: mutateText,
  run(input) {
    const whole = attempt(() => read([input]));
    const cut = attempt(() => read(piecesOf(input)));
    if ('outcome' in whole || 'outcome' in cut) {
      // Which of several faults is found first may differ.
      must('outcome' in whole && 'outcome' in cut, 'it does not matter how a response is cut', () => [whole, cut]);
      return whole.outcome;
    }
    mustEqual(cut.value, whole.value, 'it does not matter how a response is cut');
    const { status, body } = whole.value;
    must(status >= 200 && status <= 599, 'a response has a status', () => status);
    must(body.length <= Math.min(MAX_BODY, input.length), 'a body is not longer than it may be', () => body.length);
    return `${Math.floor(status / 100)}xx${body.length > 0 ? ' with a body' : ''}`;
  },
};

/** A whole in pieces of one length, which depends on it. */
function piecesOf(input: Uint8Array): readonly Uint8Array[] {
  const step = 1 + (input.length % 29);
  return Array.from({ length: Math.ceil(input.length / step) }, (_, i) => input.subarray(i * step, (i + 1) * step));
}

/** What a control point says over TCP: however it is cut, it is the same request or the same refusal, and no long one. */
export const httpRequest: Target = {
  name: 'http-request',
  share: 0.2,
  seeds: [
    'GET /rootDesc.xml HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /ctl HTTP/1.1\r\nSOAPAction: "a#b"\r\nContent-Length: 12\r\n\r\nhello, world',
    'POST /ctl HTTP/1.0\nContent-Length: 1\n\na and more',
    `POST /ctl HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  ].map((text) => Buffer.from(text, 'latin1')),
  mutate: mutateText,
  run(input) {
    const receive = (pieces: readonly Uint8Array[]): ReceivedRequest | undefined => {
      const reader = createHttpRequestReader({ maxBody: MAX_BODY });
      return pieces.map((piece) => reader.push(piece)).find((request) => request !== undefined);
    };
    const whole = attempt(() => receive([input]));
    const cut = attempt(() => receive(piecesOf(input)));
    if ('outcome' in whole || 'outcome' in cut) {
      must('outcome' in whole && 'outcome' in cut, 'it does not matter how a request is cut', () => [whole, cut]);
      return whole.outcome;
    }
    mustEqual(cut.value, whole.value, 'it does not matter how a request is cut');
    if (whole.value === undefined) return 'not whole';
    const { method, path, body } = whole.value;
    must(/^\/[!-~]{0,1023}$/.test(path), 'a path is one', () => path);
    must(body.length <= Math.min(MAX_BODY, input.length), 'a body is not longer than it may be', () => body.length);
    return `${method === 'GET' ? 'GET' : 'another method'}${body.length > 0 ? ' with a body' : ''}`;
  },
};

/** The other side ends after the last piece. */
function read(pieces: readonly Uint8Array[]): HttpResponse {
  const reader = createHttpResponseReader({ maxBody: MAX_BODY });
  for (const piece of pieces) {
    const response = reader.push(piece);
    if (response !== undefined) return response;
  }
  return reader.end();
}

/** Chunks alone, which are taken from the start of what is there. */
export const chunkedBody: Target = {
  name: 'chunked-body',
  share: 0.3,
  seeds: [chunked, '0\r\n', '1\nx\n0\n', `7d0\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`, 'A\r\n0123456789\r\n'].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
  mutate: mutateText,
  run(input) {
    const decoder = createChunkedBody(MAX_BODY);
    const taken = attempt(() => decoder.take(input));
    if ('outcome' in taken) return taken.outcome;
    must(taken.value <= input.length, 'no more is taken than there is', () => taken.value);
    const { body } = decoder;
    if (body === undefined) {
      const rest = attempt(() => decoder.take(input.subarray(taken.value)));
      must('value' in rest && rest.value === 0, 'what is not whole is not taken', () => rest);
      return taken.value > 0 ? 'some chunks' : 'none';
    }
    must(
      body.length <= MAX_BODY && body.length < taken.value,
      'a body is not longer than it may be',
      () => body.length,
    );
    return body.length > 0 ? 'a body' : 'an empty body';
  },
};
