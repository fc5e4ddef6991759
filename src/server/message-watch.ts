import type { Duplex } from 'node:stream';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { ServerLimits } from '../protocol/rendezvous/index.ts';
import { createMessageMeter } from './message-meter.ts';

/** What all clients of a server have waiting for them and begun together, in bytes. */
export interface SharedMemory {
  queued: number;
  begun: number;
}

export interface MessageWatchOptions {
  /** What the WebSocket runs on. */
  readonly stream: Duplex;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly memory: SharedMemory;
  readonly onOffence: (reason: string) => void;
}

/**
 * Sees to it that messages which are begun are completed, in time and in bounded memory. Gives the function that stops
 * it.
 */
export function watchMessages({ stream, clock, limits, memory, onOffence }: MessageWatchOptions): () => void {
  const meter = createMessageMeter();
  let counted = 0;
  let complete = 0;
  let deadline: TimerHandle;

  function settle(): void {
    clock.clearTimeout(deadline);
    deadline = undefined;
  }

  function onData(chunk: Uint8Array): void {
    meter.push(chunk);
    memory.begun += meter.begun - counted;
    counted = meter.begun;
    if (meter.begun === 0 || meter.complete > complete) settle();
    complete = meter.complete;
    if (meter.begun === 0) return;
    deadline ??= clock.setTimeout(() => onOffence('a message took too long'), limits.messageFor);
    if (memory.begun > limits.begunBytes && meter.begun > MAX_BEGUN_IN_A_CROWD)
      onOffence('too many unfinished messages');
  }

  stream.on('data', onData);
  return () => {
    stream.off('data', onData);
    settle();
    memory.begun -= counted;
  };
}

/** Bytes of a message that is not complete. */
const MAX_BEGUN_IN_A_CROWD = 4 * 1024;
