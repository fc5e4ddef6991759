import type { AckRange, FrameWriter } from './frames.ts';
import { RangeSet } from './range-set.ts';
import { MAX_ACK_DELAY } from './sent-packets.ts';

/** The numbers of the packets that came in: which are new, and what is to be acknowledged, when. Times in ms. */
export class ReceivedPackets {
  readonly #numbers = new RangeSet();
  /** What is below is no longer told apart: it counts as having come. */
  #floor = 0;
  #largest = -1;
  #largestAt = 0;
  /** Packets that ask for an acknowledgement and have got none. */
  #owed = 0;
  #dueAt: number | undefined;

  /** When an acknowledgement must go out by itself; `undefined` while none is owed. */
  get deadline(): number | undefined {
    return this.#dueAt;
  }

  isNew(number: number): boolean {
    return number >= this.#floor && !this.#numbers.has(number);
  }

  /** A new packet: whether it wants an acknowledgement, and at once. */
  add(number: number, wants: 'none' | 'soon' | 'now', now: number): void {
    const inOrder = number === this.#largest + 1;
    this.#numbers.add(number, number + 1);
    while (this.#numbers.size > MAX_RANGES) this.#forgetLowest();
    if (number > this.#largest) {
      this.#largest = number;
      this.#largestAt = now;
    }
    if (wants === 'none') return;
    // RFC 9000 section 13.2: every second packet, and one that is out of order, at once.
    this.#owed++;
    const due = wants === 'now' || this.#owed >= 2 || !inOrder ? now : now + MAX_ACK_DELAY;
    this.#dueAt = Math.min(this.#dueAt ?? due, due);
  }

  /** Acknowledges what has come, when one is owed. */
  write(writer: FrameWriter, now: number): void {
    if (this.#owed === 0) return;
    this.#owed = 0;
    this.#dueAt = undefined;
    const ranges: AckRange[] = [];
    for (let place = this.#numbers.size - 1; place >= 0; place--) {
      const { start, end } = this.#numbers.at(place);
      ranges.push({ first: start, last: end - 1 });
    }
    writer.ack(ranges, Math.round((now - this.#largestAt) * 1_000));
  }

  #forgetLowest(): void {
    const { start, end } = this.#numbers.at(0);
    this.#floor = end;
    this.#numbers.remove(start, end);
  }
}

/** Gaps are losses, mostly: at 5 % that reaches 1,280 packets back. Takes half a packet at most. */
const MAX_RANGES = 64;
