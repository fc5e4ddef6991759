import { TraversalError } from '../core/errors.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceHeader, type TraceRecord } from './trace-format.ts';

/** A trace as it is read, a line at a time. */
export interface TraceReader {
  readonly header: TraceHeader;
  /** The records that follow, with the number of the line each. Errors: `ERR_USAGE` with that number. */
  readonly records: Iterable<TracedLine>;
}

export interface TracedLine {
  /** 1 is the header. */
  readonly line: number;
  readonly text: string;
  readonly record: TraceRecord;
}

/**
 * Reads a trace from its lines, which may be many: none is kept. Empty lines count, and are nothing else. Errors:
 * `ERR_VERSION` for a trace of a later version, `ERR_USAGE` with the number of the line for what is none.
 */
export function readTrace(lines: Iterable<string>): TraceReader {
  const iterator = numbered(lines);
  const first = iterator.next();
  if (first.done) throw malformed(1, 'there is nothing in it');
  const header = readHeader(first.value);
  return { header, records: readRecords(iterator) };
}

interface NumberedLine {
  readonly line: number;
  readonly text: string;
}

function* numbered(lines: Iterable<string>): Generator<NumberedLine, undefined> {
  let line = 0;
  for (const text of lines) {
    line++;
    if (text.trim() !== '') yield { line, text };
  }
}

function readHeader({ line, text }: NumberedLine): TraceHeader {
  const header = parseObject(line, text);
  const { format, version, world, sallyport, scenario } = header;
  if (format !== TRACE_FORMAT) throw malformed(line, `is no header of a trace, whose format is ${TRACE_FORMAT}`);
  if (version !== TRACE_VERSION) {
    throw new TraversalError(
      'ERR_VERSION',
      `this trace is of version ${String(version)}; this program reads version ${TRACE_VERSION}`,
    );
  }
  if (typeof sallyport !== 'string') throw malformed(line, 'does not say which version of Sallyport wrote it');
  if (world !== 'real' && world !== 'simulated') throw malformed(line, 'is of no world: real or simulated');
  if (world === 'simulated' && !isObject(scenario)) throw malformed(line, 'has no scenario, and is of a simulated run');
  return header as unknown as TraceHeader;
}

function* readRecords(iterator: Generator<NumberedLine, undefined>): Generator<TracedLine> {
  for (const { line, text } of iterator) {
    const record = parseObject(line, text);
    if (typeof record.t !== 'number') throw malformed(line, 'has no time t in ms');
    if (typeof record.what !== 'string') throw malformed(line, 'does not say what it is about');
    yield { line, text, record: record as unknown as TraceRecord };
  }
}

function parseObject(line: number, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(line, 'is no JSON');
  }
  if (!isObject(value)) throw malformed(line, 'is no object');
  return value;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(line: number, problem: string): TraversalError {
  return new TraversalError('ERR_USAGE', `line ${line} of the trace ${problem}`);
}
