import type { Clock, TimerHandle } from '../core/clock.ts';
import { type Random, randomInteger } from '../core/random.ts';

/** Watches whether the server at the other end of a connection is there. */
export interface Keepalive {
  /** A message has come; from the first one on, the server is pinged. */
  message(): void;
  /** The answer to a ping has come. */
  pong(): void;
  stop(): void;
}

export interface KeepaliveOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ping: () => void;
  /** Called at most once, with one line for people. */
  readonly onSilence: (reason: string) => void;
}

/** From now on the server has 10 s for its first message; then it is pinged every 20 to 25 s and has 10 s for a sign of life. */
export function createKeepalive({ clock, random, ping, onSilence }: KeepaliveOptions): Keepalive {
  let greeted = false;
  let heard = false;
  let timer: TimerHandle = clock.setTimeout(() => onSilence('no answer within 10 s'), PATIENCE);

  function schedule(): void {
    timer = clock.setTimeout(
      () => {
        heard = false;
        ping();
        timer = clock.setTimeout(() => {
          if (heard) schedule();
          else onSilence('the server has fallen silent');
        }, PATIENCE);
      },
      KEEPALIVE - PATIENCE + randomInteger(random, KEEPALIVE_SPREAD),
    );
  }

  return {
    message() {
      heard = true;
      if (greeted) return;
      greeted = true;
      clock.clearTimeout(timer);
      schedule();
    },
    pong() {
      heard = true;
    },
    stop() {
      clock.clearTimeout(timer);
    },
  };
}

/** ms. A ping goes out every 20 to 25 s, below the 30 s after which some NATs forget a quiet connection. */
const KEEPALIVE = 20_000;
const KEEPALIVE_SPREAD = 5_000;
/** How long the server may take to say hello, and to answer a ping, in ms. */
const PATIENCE = 10_000;
