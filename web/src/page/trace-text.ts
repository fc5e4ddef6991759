import type { TraceHeader } from '../../../src/trace/trace-format.ts';
import { readTrace } from '../../../src/trace/trace-reader.ts';
import type { Entry, Source } from '../model/moment.ts';

/** A trace that was opened as text. */
export interface OpenedTrace {
  readonly header: TraceHeader;
  readonly lines: readonly string[];
}

/** Throws an `Error` that tells people what the text is not. */
export function readTraceText(text: string): OpenedTrace {
  const [first = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  try {
    return { header: readTrace([first]).header, lines };
  } catch (cause) {
    throw new Error(`This is no trace that the page can read, as --trace writes them: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/** What is known of a source, as a trace that can be opened again. */
export function writeTraceText({ id, header }: Source, entries: readonly Entry[]): string {
  const records = entries.flatMap(({ source, record }) => (source.id === id && record.what !== 'end' ? [record] : []));
  const end = { t: records.at(-1)?.t ?? 0, what: 'end', records: records.length };
  return [header, ...records, end].map((line) => `${JSON.stringify(line)}\n`).join('');
}
