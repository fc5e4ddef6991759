import type { TraceHeader, TraceRecord } from '../../../src/trace/trace-format.ts';
import type { Entry, Moment, Source } from './moment.ts';
import { MomentBuilder } from './moment-builder.ts';

/**
 * All records of all sources on one axis of time, and what was known at each of them. Records of one source come in order; those of
 * several are laid side by side by the wall time at which each began. Of very many the oldest are forgotten; what they made stays.
 */
export class Recording {
  readonly #capacity: number;
  readonly #sources = new Map<string, Source>();
  #entries: Entry[] = [];
  /** What was known before the first entry that is kept. */
  #base: Moment = new MomentBuilder().moment();
  /** By position, every {@link STRIDE} entries from the first. */
  #checkpoints: Moment[] = [];
  /** Has taken all entries. */
  #tail = new MomentBuilder();
  /** Wall time at which the axis begins. */
  #origin: number | undefined;
  #forgotten = 0;

  /** `capacity`: entries that are kept. */
  constructor(capacity = 300_000) {
    this.#capacity = capacity;
  }

  get sources(): readonly Source[] {
    return [...this.#sources.values()];
  }

  /** In the order of time. Their indices go on from those that were forgotten. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Entries that are no longer kept. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Adds a source, or says that one is live no more. */
  open(source: Source): void {
    this.#sources.set(source.id, source);
    if (source.header.world === 'real') this.#origin ??= source.header.began;
  }

  /** How many of the lines are no records; all others are in it now. */
  append(sourceId: string, lines: readonly string[]): number {
    const source = this.#sources.get(sourceId);
    if (source === undefined) throw new RangeError(`there is no source ${sourceId}`);
    const records = lines.flatMap((line) => readRecord(line) ?? []);
    this.#add(source, records);
    return lines.length - records.length;
  }

  /** What was known after the entry of that index, at most the last one's; -1 or one that was forgotten: before the first. */
  moment(index: number): Moment {
    const position = Math.min(index - this.#forgotten, this.#entries.length - 1);
    if (position < 0) return this.#base;
    if (position === this.#entries.length - 1) return this.#tail.moment();
    const stride = Math.floor((position + 1) / STRIDE);
    const builder = new MomentBuilder(stride === 0 ? this.#base : this.#checkpoints[stride - 1]);
    for (let i = stride * STRIDE; i <= position; i++) builder.apply(this.#entries[i]!);
    return builder.moment();
  }

  /** The index of the last entry that is not later than `at`; -1: none. */
  indexAt(at: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -1 : this.#forgotten + low - 1;
  }

  #add(source: Source, records: readonly TraceRecord[]): void {
    const shift = this.#shiftOf(source.header);
    const added = records.map((record) => ({ at: record.t + shift, source, record }));
    const first = added[0];
    if (first === undefined) return;
    const position = this.indexAt(first.at) + 1 - this.#forgotten;
    if (position >= this.#entries.length) for (const one of added) this.#push(one);
    else this.#insert(Math.max(0, position), added);
    if (this.#entries.length > this.#capacity) this.#forget();
  }

  #push(entry: Omit<Entry, 'index'>): void {
    const numbered = { index: this.#forgotten + this.#entries.length, ...entry };
    this.#entries.push(numbered);
    this.#tail.apply(numbered);
    if (this.#entries.length % STRIDE === 0) this.#checkpoints.push(this.#tail.moment());
  }

  /** What comes late is merged: everything from there on is told anew. */
  #insert(position: number, added: readonly Omit<Entry, 'index'>[]): void {
    const later: Omit<Entry, 'index'>[] = [...this.#entries.slice(position), ...added];
    later.sort((a, b) => a.at - b.at);
    const stride = Math.floor(position / STRIDE);
    this.#checkpoints.length = stride;
    this.#tail = new MomentBuilder(stride === 0 ? this.#base : this.#checkpoints[stride - 1]);
    for (const entry of this.#entries.slice(stride * STRIDE, position)) this.#tail.apply(entry);
    this.#entries.length = position;
    for (const { at, source, record } of later) this.#push({ at, source, record });
  }

  /** The oldest strides, a tenth of all. */
  #forget(): void {
    const strides = Math.ceil(this.#entries.length / 10 / STRIDE);
    this.#base = this.#checkpoints[strides - 1] ?? this.#base;
    this.#checkpoints = this.#checkpoints.slice(strides);
    this.#entries = this.#entries.slice(strides * STRIDE);
    this.#forgotten += strides * STRIDE;
  }

  #shiftOf(header: TraceHeader): number {
    if (header.world === 'simulated' || header.began === undefined || this.#origin === undefined) return 0;
    return header.began - this.#origin;
  }
}

/** `undefined`: it is none. */
function readRecord(line: string): TraceRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    const { t, what } = Object(record) as { readonly t?: unknown; readonly what?: unknown };
    return typeof t === 'number' && typeof what === 'string' ? (record as TraceRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Entries between two moments that are kept. */
const STRIDE = 1_000;
