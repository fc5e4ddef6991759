/** Something that is to happen at a moment. */
export interface QueuedEvent {
  /** Virtual time in whole microseconds. */
  readonly at: number;
  readonly callback: () => void;
}

/**
 * Events in the order of their time, those of one moment in the order in which they were added: a binary heap whose
 * elements know their place, so that one can be taken out of the middle.
 */
export class EventQueue {
  readonly #heap: Entry[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The next one; `undefined` when there is none. */
  get first(): QueuedEvent | undefined {
    return this.#heap[0];
  }

  add(at: number, callback: () => void): QueuedEvent {
    const entry: Entry = { at, callback, order: this.#added++, place: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    return entry;
  }

  /** Nothing happens when the event is not in the queue any more. */
  remove(event: QueuedEvent): void {
    const entry = event as Entry;
    if (this.#heap[entry.place] !== entry) return;
    const last = this.#heap.pop()!;
    if (last === entry) return;
    this.#put(last, entry.place);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1]!;
      if (before(parent, entry)) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      const right = this.#heap[2 * entry.place + 2];
      if (left === undefined) return;
      const child = right !== undefined && before(right, left) ? right : left;
      if (before(entry, child)) return;
      this.#swap(entry, child);
    }
  }

  #swap(parent: Entry, child: Entry): void {
    const place = parent.place;
    this.#put(parent, child.place);
    this.#put(child, place);
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }
}

interface Entry extends QueuedEvent {
  readonly order: number;
  place: number;
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
