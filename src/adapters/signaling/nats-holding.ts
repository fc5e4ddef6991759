import type { Clock } from '../../core/clock.ts';
import { toHex } from '../../core/hex.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Registration } from '../../core/signaling.ts';
import { encodeClaim, readClaim } from './nats-claim.ts';
import { CLAIM, createToken, inboxSubject, keySubject, leafOf } from './nats-subjects.ts';
import type { NatsMessage, NatsWire } from './nats-wire.ts';

/** A key and the subject that dialers find its holder by. Of two holders the one that began to listen later stays. */
export interface NatsHolding {
  /** Holds this key from now on, and no other; told `held`, also when it was held before, or `replaced`. */
  hold(registration: Registration): void;
  /** Lets go, without a word. */
  release(): void;
  /** The same for good, but for messages that are on their way already. */
  close(): void;
  /** The account may not use the subject; false when it is none of the key's. */
  refuse(subject: string): boolean;
}

export interface NatsHoldingOptions {
  readonly wire: NatsWire;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A message of a dialer. */
  readonly receive: (message: NatsMessage) => void;
  readonly held: () => void;
  /** Another holds the key, or has come to hold it. */
  readonly replaced: () => void;
}

interface Held {
  readonly key: Uint8Array;
  readonly since: number;
  readonly claim: Uint8Array;
  /** The server has confirmed it. */
  confirmed: boolean;
  unsubscribe: () => void;
}

export function createNatsHolding(options: NatsHoldingOptions): NatsHolding {
  const { wire, clock, random, log } = options;
  let current: Held | undefined;
  /** Ends a question that is under way. */
  let cancel = (): void => {};

  async function take(held: Held): Promise<void> {
    const subject = keySubject(held.key, CLAIM);
    // Those who are there first: nobody is to be offered to two at once.
    const answer = await ask(subject, held.claim);
    if (current !== held) return;
    if (answer !== undefined && isOutdone(held, answer)) return giveWay(held);
    held.unsubscribe = wire.subscribe(keySubject(held.key, '*'), (message) => receive(held, message));
    // And those who asked at the same moment.
    wire.publish(subject, held.claim);
    const flushed = await wire.flush();
    if (current !== held || !flushed) return;
    held.confirmed = true;
    options.held();
  }

  /** What the first holder says; `undefined` when there is none, or none that speaks within 2 s. */
  function ask(subject: string, claim: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      const inbox = inboxSubject(createToken(random), 'claim');
      const end = (answer: Uint8Array | undefined): void => {
        cancel = () => {};
        clock.clearTimeout(timer);
        unsubscribe();
        resolve(answer);
      };
      const timer = clock.setTimeout(() => {
        log('nats.claim-unanswered', { subject });
        end(undefined);
      }, PATIENCE);
      cancel = () => end(undefined);
      const unsubscribe = wire.subscribe(inbox, ({ payload, isUnheard }) => end(isUnheard ? undefined : payload));
      wire.publish(subject, claim, inbox);
    });
  }

  function receive(held: Held, message: NatsMessage): void {
    if (leafOf(message.subject) === CLAIM) compare(held, message);
    else options.receive(message);
  }

  function compare(held: Held, message: NatsMessage): void {
    const theirs = readClaim(message.payload, held.key);
    // One's own comes back too.
    if (theirs === undefined || theirs === held.since) return;
    if (message.reply !== undefined) wire.publish(message.reply, held.claim);
    else if (theirs < held.since) wire.publish(message.subject, held.claim);
    if (theirs > held.since) giveWay(held);
  }

  const isOutdone = (held: Held, claim: Uint8Array): boolean => (readClaim(claim, held.key) ?? 0) > held.since;

  function giveWay(held: Held): void {
    if (current !== held) return;
    release();
    options.replaced();
  }

  function release(): void {
    current?.unsubscribe();
    close();
  }

  function close(): void {
    current = undefined;
    cancel();
  }

  return {
    hold(registration) {
      const { key, since } = registration;
      if (current !== undefined && toHex(current.key) === toHex(key) && current.since === since) {
        if (current.confirmed) options.held();
        return;
      }
      release();
      current = { key, since, claim: encodeClaim(registration), confirmed: false, unsubscribe: () => {} };
      void take(current);
    },
    release,
    close,
    refuse(subject) {
      if (current === undefined) return false;
      if (subject !== keySubject(current.key, '*') && subject !== keySubject(current.key, CLAIM)) return false;
      release();
      return true;
    },
  };
}

/** ms for a holder to answer: one that has lost its connection unnoticed never does. */
const PATIENCE = 2_000;
