import type { Msg, NatsConnection, Status } from '@nats-io/transport-node';
import { createBackoff } from '../../core/backoff.ts';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { type ErrorCode, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { NatsAccess } from './nats-access.ts';
import { type NatsModule, natsOptions } from './nats-options.ts';

/** One connection to a NATS server, made again for as long as it is open, also to other servers of the cluster. */
export interface NatsWire {
  /**
   * Nothing is sent while there is no connection. `reply`: where the server says that nobody is subscribed to the
   * subject.
   */
  publish(subject: string, payload: string | Uint8Array, reply?: string): void;
  /** Gives the function that ends it. Only while there is a connection; a subscription outlives it. */
  subscribe(subject: string, receive: (message: NatsMessage) => void): () => void;
  /** Fulfils when the server has taken all that was sent; false when the connection ended before. */
  flush(): Promise<boolean>;
  /**
   * Bytes sent that the server has not taken yet, beyond those that a connection in good order always has under way.
   */
  queued(): number;
  /** What was published before is still sent, and what is on its way to here is still received and may be answered. */
  close(): void;
}

export interface NatsMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly reply: string | undefined;
  /** The server's word that nobody is subscribed to the subject of a message whose `reply` this is. */
  readonly isUnheard: boolean;
}

export interface NatsWireOptions extends NatsAccess {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly on: NatsWireEvents;
}

export interface NatsWireEvents {
  connecting(attempt: number): void;
  online(): void;
  /** `retryIn` in ms; `undefined` when there will be no connection any more. */
  offline(failure: NatsFailure & { readonly retryIn: number | undefined }): void;
  /** The account may not subscribe or publish to this subject. */
  refused(subject: string, message: string): void;
}

export interface NatsFailure {
  readonly code: ErrorCode;
  readonly reason: string;
}

export function createNatsWire(options: NatsWireOptions): NatsWire {
  const { url, clock, random, log, on } = options;
  const backoff = createBackoff(random);
  let nats: NatsModule | undefined;
  let connection: NatsConnection | undefined;
  let online = false;
  let closed = false;
  let retry: TimerHandle;
  /** ms between two attempts of the client's own after it has lost a connection. */
  let delay = 0;
  let unconfirmed = 0;
  let confirming = false;

  /** The first connection; the client makes the later ones by itself. */
  async function connect(attempt: number): Promise<void> {
    on.connecting(attempt);
    try {
      nats ??= await import('@nats-io/transport-node');
      const made = await nats.connect({ ...natsOptions(nats, options), reconnectDelayHandler: () => delay });
      if (closed) return void made.close();
      connection = made;
    } catch (error) {
      if (closed) return;
      const failure = describeFailure(nats, error);
      const retryIn = FATAL.includes(failure.code) ? undefined : backoff.next();
      if (retryIn !== undefined) retry = clock.setTimeout(() => void connect(attempt + 1), retryIn);
      on.offline({ ...failure, retryIn });
      return;
    }
    setOnline();
    follow(connection);
  }

  function setOnline(): void {
    log('signaling.online', { url, server: connection?.getServer() });
    backoff.reset();
    delay = backoff.next();
    online = true;
    on.online();
  }

  function setOffline(failure: NatsFailure, retryIn: number | undefined): void {
    if (closed) return;
    online = false;
    unconfirmed = 0;
    log('signaling.offline', { url, ...failure, retryIn });
    on.offline({ ...failure, retryIn });
  }

  async function follow(followed: NatsConnection): Promise<void> {
    for await (const status of followed.status()) {
      if (!closed) handle(status);
    }
    const error = await followed.closed();
    setOffline(describeFailure(nats, error ?? new Error('the client has given up')), undefined);
  }

  function handle(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        setOffline({ code: 'ERR_SERVER_UNREACHABLE', reason: `the connection to ${status.server} ended` }, delay);
        break;
      case 'reconnecting':
        delay = backoff.next();
        break;
      case 'reconnect':
        setOnline();
        break;
      case 'error':
        log('nats.error', { url, error: status.error.message });
        if (nats !== undefined && status.error instanceof nats.PermissionViolationError) {
          const { operation, subject } = status.error;
          on.refused(subject, `the NATS server permits no ${operation} of ${subject}`);
        }
    }
  }

  /** Asks the server at most once at a time whether it has taken everything. */
  async function confirm(): Promise<void> {
    if (confirming || connection === undefined) return;
    confirming = true;
    const counted = unconfirmed;
    if (await isFlushed(connection)) unconfirmed = Math.max(0, unconfirmed - counted);
    confirming = false;
    if (unconfirmed > 0 && online) void confirm();
  }

  /** False when the connection ended before. */
  const isFlushed = (flushed: NatsConnection): Promise<boolean> =>
    flushed.flush().then(
      () => true,
      () => false,
    );

  function receive(message: Msg, take: (message: NatsMessage) => void): void {
    const { subject, data, reply, headers } = message;
    try {
      const isUnheard = data.length === 0 && headers?.code === NO_RESPONDERS;
      take({ subject, payload: data, reply: reply === '' ? undefined : reply, isUnheard });
    } catch (error) {
      // The client would stop reading.
      log('nats.message-failed', { subject, error: String(error) });
    }
  }

  void connect(1);

  return {
    publish(subject, payload, reply) {
      if (!online || connection === undefined) return;
      try {
        connection.publish(subject, payload, reply === undefined ? {} : { reply });
      } catch (error) {
        // Larger than this server takes, or the client has just closed.
        log('nats.publish-failed', { subject, error: String(error) });
        return;
      }
      unconfirmed += payload.length;
      void confirm();
    },
    subscribe(subject, take) {
      const subscription = connection?.subscribe(subject, {
        callback: (error, message) => {
          // A refusal comes as a status too.
          if (error === null) receive(message, take);
        },
      });
      return () => subscription?.unsubscribe();
    },
    flush: async () => online && connection !== undefined && isFlushed(connection),
    queued: () => Math.max(0, unconfirmed - UNDER_WAY),
    close() {
      if (closed) return;
      closed = true;
      clock.clearTimeout(retry);
      if (connection === undefined) return;
      const ending = connection;
      const patience = clock.setTimeout(() => void ending.close(), CLOSE_GRACE);
      (online ? ending.drain() : ending.close())
        .catch((error) => log('nats.close-failed', { url, error: String(error) }))
        .then(() => clock.clearTimeout(patience));
    },
  };
}

function describeFailure(nats: NatsModule | undefined, error: unknown): NatsFailure {
  const reason = messageOf(error);
  if (nats === undefined) {
    const missing = 'NATS needs the package @nats-io/transport-node: npm install @nats-io/transport-node@3';
    return { code: 'ERR_NOT_AVAILABLE', reason: `${missing} (${reason})` };
  }
  const isRefusal = error instanceof nats.AuthorizationError || error instanceof nats.UserAuthenticationExpiredError;
  return { code: isRefusal ? 'ERR_TOKEN' : 'ERR_SERVER_UNREACHABLE', reason };
}

/** After these, trying again would change nothing. */
const FATAL: readonly ErrorCode[] = ['ERR_TOKEN', 'ERR_NOT_AVAILABLE'];

/** Status of the message by which a server says that a subject has no subscribers. */
const NO_RESPONDERS = 503;

/** Bytes: what is sent in one round trip to the server at 12 MB/s and 20 ms. */
const UNDER_WAY = 256 * 1024;
/** How long the server may take to read what was sent before the end, in ms. */
const CLOSE_GRACE = 1_000;
