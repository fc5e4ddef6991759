import type { RoundTrip } from './round-trip.ts';

/** When to repeat a packet of the handshake, which nothing acknowledges but the next one (RFC 9002 section 6.2). Times in ms. */
export class FlightTimer {
  readonly #roundTrip: RoundTrip;
  #sentAt: number | undefined;
  /** How often the packet was sent. */
  #times = 0;
  /** How often in a row nothing came back. */
  #timeouts = 0;

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  /** When the packet is to be sent again; `undefined` when it need not. */
  get deadline(): number | undefined {
    if (this.#sentAt === undefined) return undefined;
    return this.#sentAt + this.#roundTrip.probeTimeout * 2 ** this.#timeouts;
  }

  onSent(now: number): void {
    this.#sentAt = now;
    this.#times++;
  }

  onTimeout(): void {
    this.#timeouts = Math.min(this.#timeouts + 1, MAX_TIMEOUTS);
  }

  /** Forgets how long nothing has come. */
  resetBackoff(): void {
    this.#timeouts = 0;
  }

  /** The answer has come: it measures the round trip when it can be told to which sending it belongs. */
  onAnswer(now: number): void {
    if (this.#times === 1) this.#roundTrip.measured(now - this.#sentAt!);
    this.#sentAt = undefined;
    this.#times = 0;
    this.#timeouts = 0;
  }
}

/** As for packets after the handshake. */
const MAX_TIMEOUTS = 10;
