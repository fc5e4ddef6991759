import type { TraceHeader } from '../../../src/trace/trace-format.ts';
import type { Entry, Source } from '../model/moment.ts';

/** A trace that was opened as text. */
export interface OpenedTrace {
  readonly header: TraceHeader;
  readonly lines: readonly string[];
}

/** Throws an `Error` that tells people what the text is not. */
export function readTraceText(text: string): OpenedTrace {
  const [first = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  let header: Partial<TraceHeader>;
  try {
    header = Object(JSON.parse(first));
  } catch {
    throw new Error('This is no trace: its first line is no JSON. A trace is written by `--trace`.');
  }
  if (header.format !== 'sallyport-trace') throw new Error('This is no trace: its first line is no header of one.');
  if (header.version !== 1) throw new Error(`This trace is of version ${header.version}; this page reads version 1.`);
  return { header: header as TraceHeader, lines };
}

/** What is known of a source, as a trace that can be opened again. */
export function writeTraceText({ id, header }: Source, entries: readonly Entry[]): string {
  const records = entries.flatMap(({ source, record }) => (source.id === id && record.what !== 'end' ? [record] : []));
  const end = { t: records.at(-1)?.t ?? 0, what: 'end', records: records.length };
  return [header, ...records, end].map((line) => `${JSON.stringify(line)}\n`).join('');
}
