import type { Clock } from '../core/clock.ts';
import { type CandidatesMessage, createTokenBucket, type RestartMessage } from '../protocol/rendezvous/index.ts';

export interface RestartsOptions {
  readonly clock: Clock;
  readonly generation: () => number;
  /** The other side has proven its key. */
  readonly isEstablished: () => boolean;
  /** New credentials and candidates, checks from the beginning. */
  readonly renew: (generation: number) => void;
  /** Tells the other side of a generation that was begun here. */
  readonly tell: () => void;
}

/** The generations of ICE credentials that a connection goes through (RFC 8445 section 9). */
export interface Restarts {
  /** Begins the next generation and tells the other side. */
  begin(): void;
  /** A message of the other side; joins its generation if that is later. True when both are at the same now. */
  follow(message: CandidatesMessage | RestartMessage): boolean;
}

/** Generations a second that the other side may ask for, and how many at once: a network that changes brings one after the other. */
const FOLLOWED = { rate: 2, burst: 4 };

export function createRestarts({ clock, generation, isEstablished, renew, tell }: RestartsOptions): Restarts {
  const followed = createTokenBucket(FOLLOWED, clock.now());

  /** A side that has not proven its key, or one in a hurry, does not make this one send checks without end. */
  const mayFollow = (): boolean => isEstablished() && followed.take(1, clock.now());

  return {
    begin() {
      renew(generation() + 1);
      tell();
    },
    follow(message) {
      if (message.generation > generation() && mayFollow()) renew(message.generation);
      return message.generation === generation();
    },
  };
}
