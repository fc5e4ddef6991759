import { Observable, type Subscriber } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { ByteListener, ByteSocket, Network } from '../core/network.ts';
import { type Random, randomInteger } from '../core/random.ts';

export interface SimultaneousOpenOptions {
  readonly network: Pick<Network, 'connect' | 'listen'>;
  readonly clock: Clock;
  readonly random: Random;
  /** From which all connections are opened: the one that the other side has been told. */
  readonly localPort: number;
  /** The other side's. */
  readonly remotes: readonly Endpoint[];
  /** SYNs in all, at least as many as `remotes`; each remote gets an equal part. */
  readonly syns: number;
  /** ms in which dials begin. */
  readonly time: number;
  /** Whether this side listens on the port when its dials are used up, as one of the two should, until the time is over. */
  readonly listens: boolean;
}

/**
 * TCP simultaneous open (RFC 9293 section 3.5): dials all endpoints of the other side at once, from one port, while the other side does the
 * same. Our SYN opens our NAT for theirs. Where one came too early it is lost in silence, or answered by RST: such a dial is repeated after
 * 50 to 100 ms, by chance, so that SYNs cross that missed each other. A silent one is given up, and repeated, after 900 ms: before the system
 * sends its SYN again (RFC 6298 section 2), so that one dial is one SYN.
 *
 * Where the two are so near that SYNs never cross, one has to be called by the other: by whoever comes from an address of the other side.
 * That can only be when it dials no more, since systems let nobody dial from a port that is listened on.
 *
 * Emits connections as they open, each the subscriber's to close, and completes when there is nothing left to do. Unsubscribing ends dials
 * and listening.
 */
export function simultaneousOpen(options: SimultaneousOpenOptions): Observable<ByteSocket> {
  return new Observable((subscriber) => {
    const attempt = new OpenAttempt(options, subscriber);
    attempt.start();
    return () => attempt.stop();
  });
}

/** ms that a dial waits for an answer. */
const PATIENCE = 900;
/** ms between the refusal of a dial and the next one. */
const REDIAL = { least: 50, most: 100 };

class OpenAttempt {
  readonly #options: SimultaneousOpenOptions;
  readonly #subscriber: Subscriber<ByteSocket>;
  readonly #until: number;
  readonly #dials: Dial[];
  /** Remotes that are dialled. */
  #dialling: number;
  #listener: ByteListener | undefined;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(options: SimultaneousOpenOptions, subscriber: Subscriber<ByteSocket>) {
    const { clock, remotes, syns, time } = options;
    this.#options = options;
    this.#subscriber = subscriber;
    this.#until = clock.now() + time;
    this.#dials = remotes.map((remote) => ({ remote, left: Math.floor(syns / remotes.length) }));
    this.#dialling = remotes.length;
  }

  start(): void {
    if (this.#dials.length === 0) this.#subscriber.complete();
    for (const dial of this.#dials) this.#dial(dial);
  }

  stop(): void {
    this.#stopped = true;
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    void this.#listener?.close();
    for (const { timer, attempt } of this.#dials) {
      clock.clearTimeout(timer);
      attempt?.abort();
    }
  }

  #dial(dial: Dial): void {
    const { network, clock, localPort } = this.#options;
    const { address: host, port } = dial.remote;
    const attempt = new AbortController();
    dial.attempt = attempt;
    dial.left--;
    dial.timer = clock.setTimeout(() => attempt.abort(), PATIENCE);
    network.connect({ host, port, localPort, signal: attempt.signal }).then(
      (socket) => {
        clock.clearTimeout(dial.timer);
        this.#take(socket);
        this.#ended();
      },
      // Refused, unreachable or too late: that there is no connection is all there is to tell.
      () => this.#failed(dial, attempt.signal.aborted),
    );
  }

  #failed(dial: Dial, isLate: boolean): void {
    const { clock, random } = this.#options;
    clock.clearTimeout(dial.timer);
    if (this.#stopped) return;
    if (dial.left === 0 || clock.now() >= this.#until) this.#ended();
    else if (isLate) this.#dial(dial);
    else {
      const pause = REDIAL.least + randomInteger(random, REDIAL.most - REDIAL.least + 1);
      dial.timer = clock.setTimeout(() => this.#dial(dial), pause);
    }
  }

  /** A remote is dialled no more. */
  #ended(): void {
    if (--this.#dialling > 0 || this.#stopped) return;
    const { clock, listens } = this.#options;
    const left = this.#until - clock.now();
    if (!listens || left <= 0) {
      this.#subscriber.complete();
      return;
    }
    this.#timer = clock.setTimeout(() => this.#subscriber.complete(), left);
    void this.#listen();
  }

  async #listen(): Promise<void> {
    const { network, localPort, remotes } = this.#options;
    // A port that cannot be listened on brings no calls; the dials have been made all the same.
    const listener = await network.listen({ port: localPort }).catch(() => undefined);
    this.#listener = listener;
    if (this.#stopped) void listener?.close();
    else {
      listener?.connections$.subscribe((socket) => {
        if (remotes.some(({ address }) => address === socket.remote.address)) this.#take(socket);
        else socket.destroy();
      });
    }
  }

  #take(socket: ByteSocket): void {
    if (this.#stopped) socket.destroy();
    else this.#subscriber.next(socket);
  }
}

/** One endpoint of the other side. */
interface Dial {
  readonly remote: Endpoint;
  /** Dials that may still be made. */
  left: number;
  /** Of the last one. */
  attempt?: AbortController;
  /** Ends the dial under way, or begins the next one. */
  timer?: TimerHandle;
}
