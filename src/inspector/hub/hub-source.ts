import type { TraceHeader } from '../../trace/trace-format.ts';

/** How much of a source is kept. */
export interface SourceLimits {
  readonly lines: number;
  /** In characters. */
  readonly size: number;
}

/** What a program has told, or a trace: its lines, as far as they are kept. Machines and the beginnings of actors are kept longer. */
export class HubSource {
  readonly id: string;
  readonly title: string;
  readonly header: TraceHeader;
  live = true;
  /** Lines that are not kept any more. */
  forgotten = 0;
  /** Of what was forgotten: machines, and how actors that had not ended began. */
  readonly #roots = new Map<string, string>();
  #lines: string[] = [];
  #size = 0;
  readonly #limits: SourceLimits;

  constructor(id: string, title: string, header: TraceHeader, limits: SourceLimits) {
    this.#limits = limits;
    this.id = id;
    this.title = title;
    this.header = header;
  }

  /** All that is kept, in their order. */
  get lines(): readonly string[] {
    return [...this.#roots.values(), ...this.#lines];
  }

  append(lines: readonly string[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#size += line.length;
    }
    if (this.#lines.length > this.#limits.lines || this.#size > this.#limits.size) this.#forget();
  }

  /** The oldest, down to three quarters of what may be kept. */
  #forget(): void {
    let count = 0;
    const { lines, size } = this.#limits;
    while (this.#lines.length - count > 0.75 * lines || this.#size > 0.75 * size) {
      const line = this.#lines[count++]!;
      this.#size -= line.length;
      this.#note(line);
    }
    this.#lines = this.#lines.slice(count);
    this.forgotten += count;
  }

  #note(line: string): void {
    // A record of these kinds says so near its beginning: no other line is read.
    const [, what] = /^\{"t":[^,]+,"who":"[^"]*","what":"(machine|chart|actor|event)"/.exec(line) ?? [];
    if (what === undefined) return;
    const { who, machine, actor, status } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const key = what === 'machine' ? `machine ${who} ${machine}` : `actor ${who} ${actor}`;
    if (status !== undefined) this.#roots.delete(key);
    else if (what !== 'event' && (this.#roots.has(key) || this.#roots.size < MAX_ROOTS)) this.#roots.set(key, line);
  }
}

const MAX_ROOTS = 4_000;
