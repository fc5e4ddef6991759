import type { Writable } from 'node:stream';
import { TRACE_FORMAT, TRACE_VERSION, type TracedWorld, type TraceHeader, type TraceRecord } from './trace-format.ts';
import { SALLYPORT_VERSION } from './version.ts';

/**
 * Where the lines of a trace go: a function that is given each line without its line feed, or a stream of Node. A
 * stream keeps in memory what it cannot write at once; a function that writes at once keeps nothing.
 */
export type TraceSink = ((line: string) => void) | Pick<Writable, 'write'>;

/** Writes a trace, record by record; keeps none. */
export interface TraceWriter {
  /** Nothing happens once it has ended. */
  write(record: TraceRecord): void;
  /**
   * Writes the last record; `t` as in {@link TraceRecord}. The sink is its owner's to close. Throws what the sink threw first,
   * after which nothing was written: whoever is traced is not disturbed by it.
   */
  end(t: number): void;
}

/** Begins a trace: the header is written at once, and what the sink throws then is thrown. */
export function createTraceWriter(sink: TraceSink, world: TracedWorld): TraceWriter {
  const tell = typeof sink === 'function' ? sink : (line: string): void => void sink.write(`${line}\n`);
  const header: TraceHeader = { format: TRACE_FORMAT, version: TRACE_VERSION, sallyport: SALLYPORT_VERSION, ...world };
  let records = 0;
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  tell(JSON.stringify(header));

  const attempt = (record: TraceRecord): void => {
    if (failure !== undefined) return;
    try {
      tell(JSON.stringify(record));
    } catch (error) {
      failure = { error };
    }
  };

  return {
    write(record) {
      if (ended) return;
      records++;
      attempt(record);
    },
    end(t) {
      if (ended) return;
      ended = true;
      attempt({ t, what: 'end', records });
      if (failure !== undefined) throw failure.error;
    },
  };
}
