import type { Clock } from '../core/clock.ts';
import { createTokenBucket } from '../core/token-bucket.ts';
import type { CandidatesMessage, RestartMessage } from '../protocol/rendezvous/index.ts';

export interface RestartsOptions {
  readonly clock: Clock;
  readonly generation: () => number;
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
  follow(message: GenerationMessage): boolean;
  /** The other side has proven its key; gives the messages that came before and could not be followed then. */
  prove(): readonly GenerationMessage[];
}

export type GenerationMessage = CandidatesMessage | RestartMessage;

/**
 * Generations a second that the other side may ask for, and how many at once: a network that changes brings one after
 * the other.
 */
const FOLLOWED = { rate: 2, burst: 4 };

/** Messages kept of one that has not proven its key: it may be established half a round trip before this side is. */
const MAX_EARLY = 8;

export function createRestarts({ clock, generation, renew, tell }: RestartsOptions): Restarts {
  const followed = createTokenBucket(FOLLOWED, clock.now());
  let isProven = false;
  let early: GenerationMessage[] = [];

  /** A side that has not proven its key, or one in a hurry, does not make this one send checks without end. */
  const mayFollow = (): boolean => isProven && followed.take(1, clock.now());

  return {
    begin() {
      renew(generation() + 1);
      tell();
    },
    follow(message) {
      const isLater = message.generation > generation();
      if (isLater && !isProven && early.length < MAX_EARLY) early.push(message);
      if (isLater && mayFollow()) renew(message.generation);
      return message.generation === generation();
    },
    prove() {
      isProven = true;
      const kept = early;
      early = [];
      return kept;
    },
  };
}
