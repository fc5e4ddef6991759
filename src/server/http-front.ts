import { createHash, timingSafeEqual } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { MAX_FRAME, type ServerSource } from '../protocol/rendezvous/index.ts';
import { type HttpListener, type HttpListenerOptions, type HttpRequest, openHttpListener } from './http-listener.ts';
import type { Refusal } from './refusal.ts';
import type { RequestHead } from './request-head.ts';

/** A client that has shown the token, on its WebSocket. */
export interface Arrival {
  readonly socket: WebSocket;
  /** What the WebSocket runs on. */
  readonly stream: Socket;
  readonly source: ServerSource;
  /** The Host header. */
  readonly host: string | undefined;
  /** The address that the connection came to. */
  readonly local: Endpoint;
}

export interface HttpFrontOptions extends Omit<HttpListenerOptions, 'onRequest'> {
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly onArrival: (arrival: Arrival) => void;
}

/** The HTTP side: `/healthz`, and WebSockets for whoever shows the token. Errors: those of {@link openHttpListener}. */
export function openHttpFront(options: HttpFrontOptions): Promise<HttpListener> {
  const { token, clock, onArrival } = options;
  const digestOfToken = token === undefined ? undefined : digest(token);
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MAX_FRAME,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
  });

  /**
   * The source of a client that may have a WebSocket. The number of wrong tokens is bounded by source; beyond, none is
   * looked at.
   */
  function identify({ head, visit }: HttpRequest): ServerSource | Refusal {
    const source = visit.client(head.fields.get('x-forwarded-for'));
    if (digestOfToken === undefined || 'reason' in source) return source;
    const now = clock.now();
    if (!source.wrongTokens.has(1, now)) return TOO_MANY_TOKENS;
    const shown = /^Bearer +(\S+)$/i.exec(head.fields.get('authorization') ?? '')?.[1];
    if (shown !== undefined && timingSafeEqual(digest(shown), digestOfToken)) return source;
    source.wrongTokens.take(1, now);
    return WRONG_TOKEN;
  }

  function upgrade(request: HttpRequest): void {
    const { head, visit, local } = request;
    const source = identify(request);
    if ('reason' in source) {
      request.refuse(source);
      return;
    }
    const { stream, rest } = request.take();
    upgrader.handleUpgrade(incomingMessage(head, stream), stream, rest, (socket) => {
      visit.leave();
      onArrival({ socket, stream, source, host: head.fields.get('host'), local });
    });
  }

  function onRequest(request: HttpRequest): void {
    const { head } = request;
    const isReading = head.method === 'GET' || head.method === 'HEAD';
    if (head.fields.has('upgrade')) upgrade(request);
    else if (isReading && head.target === '/healthz') request.answer(200, 'ok');
    else request.answer(426, 'this is a Sallyport rendezvous server: it speaks WebSocket');
  }

  return openHttpListener({ ...options, onRequest });
}

/** The head as Node's own server would give it, for `ws`. */
function incomingMessage({ method, target, fields }: RequestHead, stream: Socket): IncomingMessage {
  const message = new IncomingMessage(stream);
  message.method = method;
  message.url = target;
  message.headers = Object.fromEntries(fields);
  return message;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const WRONG_TOKEN: Refusal = { reason: 'token', status: 401, text: 'this server wants a token' };
const TOO_MANY_TOKENS: Refusal = { reason: 'token-rate', status: 429, text: 'too many wrong tokens of your address' };

/** Pieces that a message may come in: frames of it, and reads of the socket. Each takes memory of its own. */
const MAX_FRAGMENTS = 64;
const MAX_CHUNKS = 1_024;
