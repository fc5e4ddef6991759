import type { Clock } from '../../core/clock.ts';
import { asTraversalError } from '../../core/errors.ts';
import type { ByteSocket, Network } from '../../core/network.ts';
import { WebSocketConnection } from '../../sim/websocket/connection.ts';
import { requestUpgrade } from '../../sim/websocket/upgrade.ts';
import { type CarrierSocket, type CarrierSocketEvents, closeFailure } from '../../streams/carrier-connection.ts';

export interface SimWebSocketOptions {
  readonly network: Network;
  readonly url: URL;
  readonly clock: Clock;
}

/** One WebSocket over simulated TCP. */
export function openSimWebSocket(
  { network, url, clock }: SimWebSocketOptions,
  events: CarrierSocketEvents,
): CarrierSocket {
  const attempt = new AbortController();
  let connection: WebSocketConnection | undefined;

  function opened({ stream, rest }: Upgraded): void {
    if (attempt.signal.aborted) {
      stream.destroy();
      failed(attempt.signal.reason);
      return;
    }
    connection = new WebSocketConnection(
      { stream, role: 'client', clock, rest },
      {
        onMessage: events.onFrame,
        onControl: (type) => {
          if (type === 'pong') events.onPong();
        },
        onEnd: (code, reason) => events.onEnd(closeFailure(code, reason)),
      },
    );
    events.onOpen();
  }

  function failed(error: unknown): void {
    events.onEnd({ code: 'ERR_SERVER_UNREACHABLE', reason: asTraversalError(error, 'ERR_NETWORK').message });
  }

  connect(network, url, attempt.signal).then(opened, failed);
  return {
    send: (frame) => connection?.send(frame),
    queued: () => connection?.queued ?? 0,
    ping: () => connection?.ping(),
    close() {
      if (connection === undefined) attempt.abort();
      else connection.close(CLOSE_NORMAL, '');
    },
    terminate() {
      if (connection === undefined) attempt.abort();
      else connection.terminate();
    },
  };
}

/** A TCP connection that has become a WebSocket, and what has come by it since. */
interface Upgraded {
  readonly stream: ByteSocket;
  readonly rest: Uint8Array;
}

async function connect(network: Network, url: URL, signal: AbortSignal): Promise<Upgraded> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const stream = await network.connect({ host, port: Number(url.port || DEFAULT_PORT), signal });
  const destroy = (): void => stream.destroy();
  if (signal.aborted) destroy();
  signal.addEventListener('abort', destroy);
  try {
    return { stream, rest: await requestUpgrade(stream, url.host) };
  } catch (error) {
    destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', destroy);
  }
}

/** Of `ws:` (RFC 6455 section 3). */
const DEFAULT_PORT = 80;
/** RFC 6455 section 7.4.1. */
const CLOSE_NORMAL = 1000;
