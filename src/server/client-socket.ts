import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { takeTurns } from '../adapters/signaling/turns.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { createTokenBucket } from '../core/token-bucket.ts';
import type { ServerLimits } from '../protocol/rendezvous/index.ts';
import type { Offence } from './counters.ts';
import { type SharedMemory, watchMessages } from './message-watch.ts';

/** One client's WebSocket, with bounds on what waits for a slow reader and on what a slow writer has begun. */
export interface ClientSocket {
  /** Ends the connection, and gives false, when the reader is so slow that control frames pile up. */
  sendControl(frame: string): boolean;
  /** False when the datagram was dropped because the reader is slow. */
  sendDatagram(frame: Uint8Array): boolean;
  /** Reads nothing more for 100 ms. */
  hold(): void;
  /** Asks for a sign of life; ends the connection when there was none since the last time. */
  probe(): void;
  close(code: number, reason: string): void;
  /** The same for a client that has gone too far: nothing is read from it any more. */
  cutOff(code: number, reason: string): void;
}

export interface ClientSocketOptions {
  readonly socket: WebSocket;
  /** What the WebSocket runs on. */
  readonly stream: Duplex;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly memory: SharedMemory;
  readonly log: Log;
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** It is being disconnected from here. */
  readonly onOffence: (offence: Offence) => void;
  /** `silent`: ended for want of a sign of life. */
  readonly onClose: (silent: boolean) => void;
}

export function createClientSocket(options: ClientSocketOptions): ClientSocket {
  const { socket, stream, clock, limits, memory, log } = options;
  const pings = createTokenBucket(limits.pings, clock.now());
  let alive = true;
  let silent = false;
  let grace: TimerHandle;
  let held: TimerHandle;
  const turns = takeTurns(socket, stream);

  /** From now on the end is near, whether the other side confirms it or not. */
  function limitEnd(): void {
    grace ??= clock.setTimeout(() => socket.terminate(), CLOSE_GRACE);
  }

  function close(code: number, reason: string): void {
    socket.close(code, reason);
    limitEnd();
  }

  function cutOff(code: number, reason: string): void {
    close(code, reason);
    turns.stop();
  }

  function offend(offence: 'pings' | 'message', reason: string): void {
    if (socket.readyState !== socket.OPEN) return;
    options.onOffence(offence);
    cutOff(CLOSE_POLICY_VIOLATION, reason);
  }

  const stopWatching = watchMessages({
    stream,
    clock,
    limits,
    memory,
    onOffence: (reason) => offend('message', reason),
  });
  /** Counts a ping or pong; false when it was one too many. */
  function takePing(): boolean {
    alive = true;
    if (pings.take(1, clock.now())) return true;
    offend('pings', 'too many pings');
    return false;
  }
  socket.on('ping', (data) => {
    if (takePing()) socket.pong(data);
  });
  socket.on('pong', takePing);
  socket.on('message', (data, isBinary) => {
    alive = true;
    // With the default binaryType both kinds of message come as one Buffer.
    options.onFrame(isBinary ? (data as Buffer) : (data as Buffer).toString('utf8'));
  });
  socket.on('error', ({ message }) => {
    options.onOffence('frames');
    limitEnd();
    // `ws` has closed it, and reads on at the next tick.
    process.nextTick(turns.stop);
    log('server.socket-error', { message });
  });
  socket.on('close', () => {
    stopWatching();
    turns.stop();
    clock.clearTimeout(held);
    clock.clearTimeout(grace);
    options.onClose(silent);
  });

  function send(frame: string | Uint8Array): void {
    memory.queued += frame.length;
    socket.send(frame, () => {
      memory.queued -= frame.length;
    });
  }

  /** Whether more than `most` bytes wait for this reader, or any when too much waits for all of them. */
  function isSlow(most: number): boolean {
    const isCrowded = memory.queued > limits.queuedBytes;
    return socket.bufferedAmount > (isCrowded ? MAX_QUEUED_IN_A_CROWD : most);
  }

  return {
    sendControl(frame) {
      if (isSlow(MAX_QUEUED)) {
        socket.terminate();
        return false;
      }
      send(frame);
      return true;
    },
    sendDatagram(frame) {
      if (isSlow(MAX_QUEUED_FOR_DATAGRAMS)) return false;
      send(frame);
      return true;
    },
    hold() {
      if (held !== undefined) return;
      const goOn = turns.hold();
      held = clock.setTimeout(() => {
        held = undefined;
        goOn();
      }, HOLD);
    },
    probe() {
      if (!alive) {
        silent = true;
        socket.terminate();
        return;
      }
      alive = false;
      socket.ping();
    },
    close,
    cutOff,
  };
}

/** Bytes waiting for a reader. */
const MAX_QUEUED_FOR_DATAGRAMS = 256 * 1024;
const MAX_QUEUED = 1024 * 1024;
const MAX_QUEUED_IN_A_CROWD = 16 * 1024;
/** How long nothing is read from a client that sends too fast, in ms. */
const HOLD = 100;
/** How long a client may take to confirm the end, in ms. */
const CLOSE_GRACE = 1_000;
/** RFC 6455 section 7.4.1. */
const CLOSE_POLICY_VIOLATION = 1008;
