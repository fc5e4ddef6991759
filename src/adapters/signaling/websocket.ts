import { WebSocket } from 'ws';
import { createBackoff } from '../../core/backoff.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { asTraversalError, type ErrorCode, TraversalError } from '../../core/errors.ts';
import { type Log, silentLog } from '../../core/log.ts';
import { type Random, randomInteger } from '../../core/random.ts';
import { parseServerName } from '../../core/server-url.ts';
import type { Signaling } from '../../core/signaling.ts';
import { MAX_FRAME } from '../../protocol/rendezvous/index.ts';

import { type CarrierLink, createCarrier } from './carrier.ts';
import { takeTurns } from './turns.ts';

export interface WebSocketSignalingOptions {
  /** `ws://host:port` or `wss://..` of a `sallyport serve`. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What the server was started with as `--token`. */
  readonly token?: string;
  readonly log?: Log;
}

/**
 * Signalling through a rendezvous server. Connects at once and, until closed, again after every loss (0.5 s .. 30 s
 * apart), registering anew; a silent server is noticed within 35 s. Offline codes: `ERR_SERVER_UNREACHABLE`,
 * `ERR_SERVER_REFUSED` (full), and for good
 * `ERR_TOKEN`, `ERR_VERSION`. Throws `ERR_USAGE` for what is no such URL or token.
 */
export function websocketSignaling(options: WebSocketSignalingOptions): Signaling {
  const { url, clock, random, token, log = silentLog } = options;
  const { hostname, host } = readUrl(url);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new TraversalError('ERR_USAGE', 'a token is made of visible ASCII characters');
  }
  const backoff = createBackoff(random);
  let attempt = 0;
  let retry: TimerHandle;
  let disconnect = (): void => {};

  const carrier = createCarrier({
    name: url,
    host: hostname,
    server: parseServerName(host) ?? host,
    random,
    log,
    disconnect: () => {
      clock.clearTimeout(retry);
      disconnect();
    },
  });

  function connect(): void {
    attempt++;
    carrier.connecting(attempt);
    disconnect = openConnection({
      url,
      clock,
      random,
      token,
      onOpen: carrier.opened,
      onFrame(frame) {
        if (!carrier.receive(frame)) return;
        log('signaling.online', { url, attempt });
        attempt = 0;
        backoff.reset();
      },
      onEnd({ code, reason }) {
        const retryIn = FATAL.includes(code) ? undefined : backoff.next();
        log('signaling.offline', { url, code, reason, retryIn });
        if (retryIn !== undefined) retry = clock.setTimeout(connect, retryIn);
        carrier.offline({ code, reason, retryIn });
      },
    });
  }

  connect();
  return carrier.signaling;
}

interface ConnectionOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly token: string | undefined;
  readonly onOpen: (link: CarrierLink) => void;
  /** Throwing ends the connection with that error. */
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** Called once, unless the connection was ended from here. */
  readonly onEnd: (failure: { readonly code: ErrorCode; readonly reason: string }) => void;
}

/**
 * One WebSocket, from dialling to its end; gives the function that ends it from here. `ws` turns Nagle's algorithm off
 * itself.
 */
function openConnection({ url, clock, random, token, onOpen, onFrame, onEnd }: ConnectionOptions): () => void {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
  let failure: { code: ErrorCode; reason: string } | undefined;
  let heard = false;
  let ended = false;
  let timer = clock.setTimeout(() => fail('ERR_SERVER_UNREACHABLE', 'no answer within 10 s'), PATIENCE);

  function fail(code: ErrorCode, reason: string): void {
    failure ??= { code, reason };
    socket.terminate();
  }

  function scheduleKeepalive(): void {
    timer = clock.setTimeout(
      () => {
        heard = false;
        socket.ping();
        timer = clock.setTimeout(() => {
          if (heard) scheduleKeepalive();
          else fail('ERR_SERVER_UNREACHABLE', 'the server has fallen silent');
        }, PATIENCE);
      },
      KEEPALIVE - PATIENCE + randomInteger(random, KEEPALIVE_SPREAD),
    );
  }

  // Not before it is open: until then, a listener of the stream would take the first bytes from the WebSocket.
  socket.once('upgrade', ({ socket: stream }) => socket.once('open', () => takeTurns(socket, stream)));
  socket.on('open', () => onOpen({ send: (frame) => socket.send(frame), queued: () => socket.bufferedAmount }));
  socket.once('message', () => {
    if (ended) return;
    clock.clearTimeout(timer);
    scheduleKeepalive();
  });
  socket.on('pong', () => {
    heard = true;
  });
  socket.on('message', (data, isBinary) => {
    heard = true;
    if (ended || failure !== undefined) return;
    try {
      // With the default binaryType both kinds of message come as one Buffer.
      onFrame(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8'));
    } catch (error) {
      const { code, message } = asTraversalError(error, 'ERR_PROTOCOL');
      fail(code, message);
    }
  });
  socket.on('unexpected-response', (_request, { statusCode }) => {
    if (statusCode === 401) fail('ERR_TOKEN', 'the server wants another token');
    else if (statusCode === 429 || statusCode === 503)
      fail('ERR_SERVER_REFUSED', `the server has no room for this address now (HTTP status ${statusCode})`);
    else
      fail('ERR_SERVER_UNREACHABLE', `the server answered with HTTP status ${statusCode}, not as a rendezvous server`);
  });
  socket.on('error', ({ message }) => {
    failure ??= { code: 'ERR_SERVER_UNREACHABLE', reason: message };
  });
  socket.on('close', (code, reason) => {
    clock.clearTimeout(timer);
    if (ended) return;
    onEnd(failure ?? describeClose(code, reason.toString('utf8')));
  });

  return () => {
    ended = true;
    clock.clearTimeout(timer);
    if (socket.readyState === WebSocket.CLOSED) return;
    if (socket.readyState === WebSocket.CONNECTING) return socket.terminate();
    socket.close(CLOSE_NORMAL);
    timer = clock.setTimeout(() => socket.terminate(), CLOSE_GRACE);
  };
}

function describeClose(code: number, reason: string): { code: ErrorCode; reason: string } {
  if (code === CLOSE_TRY_AGAIN_LATER || code === CLOSE_POLICY_VIOLATION) return { code: 'ERR_SERVER_REFUSED', reason };
  return { code: 'ERR_SERVER_UNREACHABLE', reason: reason === '' ? `the connection ended (${code})` : reason };
}

function readUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'ws:' || parsed?.protocol === 'wss:') return parsed;
  throw new TraversalError(
    'ERR_USAGE',
    `a rendezvous server is given as ws://host:port or wss://host:port, not ${url}`,
  );
}

/** After these, trying again would change nothing. */
const FATAL: readonly ErrorCode[] = ['ERR_TOKEN', 'ERR_VERSION'];

/** ms. A ping goes out every 20 to 25 s, below the 30 s after which some NATs forget a quiet connection. */
const KEEPALIVE = 20_000;
const KEEPALIVE_SPREAD = 5_000;
/** How long the server may take to say hello, and to answer a ping, in ms. */
const PATIENCE = 10_000;
/** How long the server may take to confirm the end, in ms. */
const CLOSE_GRACE = 1_000;
const CLOSE_NORMAL = 1000;
/** RFC 6455 section 7.4.1, and the IANA registry of WebSocket close codes. */
const CLOSE_POLICY_VIOLATION = 1008;
const CLOSE_TRY_AGAIN_LATER = 1013;
