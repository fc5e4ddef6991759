import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Datagram } from '../../core/datagram.ts';
import type { TurnClient, TurnClientEvent, TurnClientInput } from '../../protocol/turn/index.ts';
import type { TurnLink } from './turn-link.ts';

export interface TurnDriverOptions {
  readonly engine: TurnClient;
  /** The driver's from now on. */
  readonly link: TurnLink;
  readonly clock: Clock;
  readonly on: {
    /** Data of a peer; valid during the call only. */
    data(datagram: Datagram): void;
    event(event: TurnClientEvent): void;
  };
}

/** Joins the engine of a TURN client to the way to its server and to the clock, until the engine's last event. */
export class TurnDriver {
  readonly #engine: TurnClient;
  readonly #link: TurnLink;
  readonly #clock: Clock;
  readonly #on: TurnDriverOptions['on'];
  #timer: TimerHandle | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  readonly #wake = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#drain();
  };
  #draining = false;
  /** Whether the link took the last message. */
  #taken = true;

  constructor({ engine, link, clock, on }: TurnDriverOptions) {
    this.#engine = engine;
    this.#link = link;
    this.#clock = clock;
    this.#on = on;
    const end = (): void => void this.handle({ type: 'disconnected' });
    link.received$.subscribe({
      next: ({ data, from }) => void this.handle({ type: 'received', bytes: data, from }),
      complete: end,
      error: end,
    });
  }

  /** Hands the engine an input and does what it then asks for; false when the link did not take a message of it. */
  handle(input: TurnClientInput): boolean {
    this.#engine.handle(input, this.#clock.now());
    this.#taken = true;
    this.#drain();
    return this.#taken;
  }

  /** Carries out outputs until the engine waits. What is handed in meanwhile is carried out by the same loop. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (;;) {
        const output = this.#engine.poll(this.#clock.now());
        if (output.type === 'wait') {
          this.#sleep(output.until);
          return;
        }
        if (output.type === 'transmit') this.#taken = this.#link.send(output.bytes, output.to);
        else if (output.type === 'data') this.#on.data({ data: output.data, from: output.peer });
        else this.#report(output.event);
      }
    } finally {
      this.#draining = false;
    }
  }

  #report(event: TurnClientEvent): void {
    if (event.type === 'failed' || event.type === 'ended') this.#link.close();
    this.#on.event(event);
  }

  /** A timer that runs out early only looks again: most packets move the end of a silence, and nothing else. */
  #sleep(until: number | undefined): void {
    if (until !== undefined && until >= this.#timerAt) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timerAt = until ?? Number.POSITIVE_INFINITY;
    if (until !== undefined) this.#timer = this.#clock.setTimeout(this.#wake, Math.max(0, until - this.#clock.now()));
  }
}
