import { WebSocket } from 'ws';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { type ErrorCode, TraversalError } from '../../core/errors.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Signaling } from '../../core/signaling.ts';
import { MAX_FRAME } from '../../protocol/rendezvous/index.ts';
import {
  type CarrierFailure,
  type CarrierSocket,
  type CarrierSocketEvents,
  closeFailure,
} from '../../streams/carrier-connection.ts';
import { reconnectingSignaling } from '../../streams/reconnecting-signaling.ts';
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
  if (!isWebSocketUrl(url)) {
    throw new TraversalError(
      'ERR_USAGE',
      `a rendezvous server is given as ws://host:port or wss://host:port, not ${url}`,
    );
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new TraversalError('ERR_USAGE', 'a token is made of visible ASCII characters');
  }
  return reconnectingSignaling({
    url,
    clock,
    random,
    log,
    open: (events) => openSocket({ url, clock, token }, events),
  });
}

interface SocketOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly token: string | undefined;
}

/** One WebSocket. `ws` turns Nagle's algorithm off itself. */
function openSocket({ url, clock, token }: SocketOptions, events: CarrierSocketEvents): CarrierSocket {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
  let failure: CarrierFailure | undefined;
  let grace: TimerHandle;

  function fail(code: ErrorCode, reason: string): void {
    failure ??= { code, reason };
    socket.terminate();
  }

  // Not before it is open: until then, a listener of the stream would take the first bytes from the WebSocket.
  socket.once('upgrade', ({ socket: stream }) => socket.once('open', () => takeTurns(socket, stream)));
  socket.on('open', events.onOpen);
  socket.on('pong', events.onPong);
  socket.on('message', (data, isBinary) => {
    // With the default binaryType both kinds of message come as one Buffer.
    events.onFrame(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8'));
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
    clock.clearTimeout(grace);
    events.onEnd(failure ?? closeFailure(code, reason.toString('utf8')));
  });

  return {
    send: (frame) => socket.send(frame),
    queued: () => socket.bufferedAmount,
    ping: () => socket.ping(),
    close() {
      if (socket.readyState === WebSocket.CLOSED) return;
      if (socket.readyState === WebSocket.CONNECTING) return socket.terminate();
      socket.close(CLOSE_NORMAL);
      grace = clock.setTimeout(() => socket.terminate(), CLOSE_GRACE);
    },
    terminate: () => socket.terminate(),
  };
}

function isWebSocketUrl(url: string): boolean {
  return URL.canParse(url) && ['ws:', 'wss:'].includes(new URL(url).protocol);
}

/** How long the server may take to confirm the end, in ms. */
const CLOSE_GRACE = 1_000;
/** RFC 6455 section 7.4.1. */
const CLOSE_NORMAL = 1000;
