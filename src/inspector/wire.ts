import { TraversalError } from '../core/errors.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceHeader } from '../trace/trace-format.ts';

/** What programs, the hub and pages say to each other over WebSocket: one JSON object a frame. */
export const WIRE_FORMAT = 'sallyport-inspect';
export const WIRE_VERSION = 1;
/** Bytes of a frame that a program sends. */
export const MAX_FRAME = 2 ** 20;

/** Any frame, before it is known what it is. */
export type Frame = Readonly<Record<string, unknown>>;

/** The first frame of a program. */
export interface ProgramHello {
  readonly format: typeof WIRE_FORMAT;
  readonly version: typeof WIRE_VERSION;
  readonly program: { readonly name: string; readonly pid: number };
  /** Of the trace that its lines make. */
  readonly header: TraceHeader;
}

/** Every other one: lines of the trace. */
interface ProgramLines {
  readonly lines: readonly string[];
}

/** From the hub to a page. A source is a program, or a trace that was opened. */
export type ViewerFrame =
  | { readonly type: 'hello'; readonly version: typeof WIRE_VERSION }
  | {
      readonly type: 'source';
      readonly id: string;
      readonly title: string;
      readonly live: boolean;
      readonly header: TraceHeader;
    }
  | { readonly type: 'lines'; readonly source: string; readonly lines: readonly string[] }
  /** So many lines are not to be had: the hub keeps no more, or the page was too slow. */
  | { readonly type: 'gap'; readonly source: string; readonly records: number }
  | { readonly type: 'ended'; readonly source: string }
  | { readonly type: 'removed'; readonly source: string };

/** Errors: `ERR_PROTOCOL`, and `ERR_VERSION` for a program of a later version. */
export function readHello(hello: Frame): ProgramHello {
  if (hello.format !== WIRE_FORMAT) throw malformed(`the first frame is not of the format ${WIRE_FORMAT}`);
  if (hello.version !== WIRE_VERSION) {
    throw new TraversalError('ERR_VERSION', `the hub speaks version ${WIRE_VERSION}, not ${String(hello.version)}`);
  }
  const { name, pid } = Object(hello.program) as { readonly name?: unknown; readonly pid?: unknown };
  if (typeof name !== 'string' || typeof pid !== 'number') throw malformed('it does not say which program it is');
  const { format, version } = Object(hello.header) as Partial<TraceHeader>;
  if (format !== TRACE_FORMAT || version !== TRACE_VERSION) throw malformed('it has no header of a trace');
  return hello as unknown as ProgramHello;
}

/** Errors: `ERR_PROTOCOL`. */
export function readLines({ lines }: Frame): ProgramLines['lines'] {
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === 'string' && !line.includes('\n'))) {
    throw malformed('a frame has no lines');
  }
  return lines;
}

/** Errors: `ERR_PROTOCOL`. */
export function readFrame(text: string): Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('a frame is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('a frame is no object');
  return value as Frame;
}

function malformed(problem: string): TraversalError {
  return new TraversalError('ERR_PROTOCOL', problem);
}
