import { Observable, Subject } from 'rxjs';
import type { SessionStream } from '../core/session.ts';

/** Hands over the streams that the other side opened; keeps a bounded number until somebody first subscribes. */
export class StreamAcceptor {
  readonly streams$: Observable<SessionStream>;
  readonly #subject = new Subject<SessionStream>();
  /** `undefined` once there was a subscriber. */
  #waiting: SessionStream[] | undefined = [];

  constructor() {
    this.streams$ = new Observable((subscriber) => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const stream of waiting) subscriber.next(stream);
      return this.#subject.subscribe(subscriber);
    });
  }

  /** False when nobody takes it. */
  offer(stream: SessionStream): boolean {
    if (this.#subject.observed) {
      this.#subject.next(stream);
      return true;
    }
    if (this.#waiting === undefined || this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(stream);
    return true;
  }

  complete(): void {
    this.#subject.complete();
  }
}

const MAX_WAITING = 64;
