import { createBackoff } from '../core/backoff.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { parseServerName } from '../core/server-url.ts';
import type { Signaling } from '../core/signaling.ts';
import { createCarrier } from './carrier.ts';
import { type OpenCarrierSocket, openCarrierConnection } from './carrier-connection.ts';

export interface ReconnectingSignalingOptions {
  /** Of the server, as the user wrote it. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Begins a WebSocket to the server. */
  readonly open: OpenCarrierSocket;
}

/**
 * Signalling over WebSockets, one after the other: connects at once and, until closed, again after every loss (0.5 s .. 30 s
 * apart), registering anew; not after `ERR_TOKEN` and `ERR_VERSION`.
 */
export function reconnectingSignaling({ url, clock, random, log, open }: ReconnectingSignalingOptions): Signaling {
  const { hostname, host } = new URL(url);
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
    disconnect = openCarrierConnection({
      clock,
      random,
      open,
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

/** After these, trying again would change nothing. */
const FATAL: readonly ErrorCode[] = ['ERR_TOKEN', 'ERR_VERSION'];
