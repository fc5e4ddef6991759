import { isatty } from 'node:tty';
import pc from 'picocolors';
import type { Candidate } from '../core/candidate.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { PathInfo } from '../core/path.ts';
import type { Verdict } from '../core/verdict.ts';
import { createLineWriter, type LineWriter } from './line-writer.ts';

/** One round trip of `ping`. */
export interface Pong {
  readonly seq: number;
  /** ms. */
  readonly rtt: number;
  readonly kind: PathInfo['kind'];
  readonly transport: PathInfo['transport'];
}

/** Tells what happens: one JSON object a line on stdout for programs, calm lines on stderr for people. */
export interface Reporter {
  readonly json: boolean;
  /** `toStdout`: where stdout carries no data, the bare ticket goes there. */
  ticket(ticket: string, options: { toStdout: boolean }): void;
  state(value: unknown): void;
  candidate(candidate: Candidate): void;
  path(path: PathInfo): void;
  connected(): void;
  pong(pong: Pong): void;
  message(text: string): void;
  /** TCP connections to this local port go to the peer. */
  forwarding(port: number): void;
  closed(): void;
  verdict(verdict: Verdict): void;
  error(error: TraversalError): void;
  /** With `--json`: an object with this `event`, `t` and `fields` on stdout. Else nothing. */
  event(name: string, fields: object): void;
  /** Without `--json`: a line on stderr, on a terminal or with `--verbose`. */
  calm(line: string): void;
  /** A line on stdout as it is. */
  print(line: string): void;
  /** The same on stderr. */
  say(line: string): void;
  readonly log: Log;
  /** Abandons lines that nobody reads, so that the process can end. */
  release(): void;
}

export interface ReporterOptions {
  readonly json?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** Where its lines go. */
export interface ReporterOutput {
  readonly stdout: LineWriter;
  readonly stderr: LineWriter;
}

export function createReporter(
  { json = false, verbose = false }: ReporterOptions,
  { stdout, stderr }: ReporterOutput = { stdout: createLineWriter(1), stderr: createLineWriter(2) },
): Reporter {
  const print = (line: string): void => stdout.write(`${line}\n`);
  const say = (line: string): void => stderr.write(`${line}\n`);
  const log: Log = (event, fields) => {
    if (verbose) say(pc.dim(`${elapsed()} ms ${event} ${fields === undefined ? '' : JSON.stringify(fields)}`));
  };
  const common = {
    log,
    print,
    say,
    release() {
      stdout.release();
      stderr.release();
    },
  };
  return json ? jsonReporter(common) : terminalReporter(common, isatty(2) || verbose);
}

type Common = Pick<Reporter, 'log' | 'print' | 'say' | 'release'>;

function jsonReporter(common: Common): Reporter {
  const emit = (event: string, fields: object = {}): void => {
    common.print(JSON.stringify({ event, ...fields }));
  };
  return {
    ...common,
    json: true,
    event: (name, fields) => emit(name, { t: elapsed(), ...fields }),
    calm: () => {},
    ticket: (ticket) => emit('ticket', { ticket }),
    state: (value) => emit('state', { t: elapsed(), value }),
    candidate: ({ type, endpoint, priority }) =>
      emit('candidate', { t: elapsed(), type, address: formatEndpoint(endpoint), priority }),
    path: ({ id: _, rtt, ...path }) =>
      emit('path', { t: elapsed(), ...path, ...(rtt !== undefined && { rtt: round(rtt) }) }),
    connected: () => emit('connected', { t: elapsed() }),
    pong: (pong) => emit('pong', { t: elapsed(), ...pong }),
    message: (text) => emit('message', { text }),
    forwarding: (port) => emit('forwarding', { port }),
    closed: () => emit('closed', { t: elapsed() }),
    verdict: (verdict) => emit('verdict', { ...verdict, ...plainCandidates(verdict) }),
    error: ({ code, message }) => emit('error', { code, message }),
  };
}

function terminalReporter(common: Common, chatty: boolean): Reporter {
  const { log, print, say } = common;
  const calm = (line: string): void => {
    if (chatty) say(line);
  };
  return {
    ...common,
    json: false,
    event: () => {},
    calm,
    ticket(ticket, { toStdout }) {
      if (toStdout) print(ticket);
      else say(ticket);
      calm(pc.dim(`on the other machine: sallyport connect ${ticket.slice(0, 12)}…`));
    },
    state: (value) => log('state', { value }),
    candidate: ({ type, endpoint }) => log('candidate', { type, address: formatEndpoint(endpoint) }),
    path: (path) => calm(describePath(path)),
    connected: () => calm(pc.green('connected')),
    pong: ({ seq, rtt, kind, transport }) => print(`pong ${seq}  ${rtt.toFixed(1)} ms  ${kind}, ${transport}`),
    message: print,
    forwarding: (port) => say(`forwarding 127.0.0.1:${port}`),
    closed: () => calm(pc.dim('closed')),
    verdict(verdict) {
      if (verdict.outcome !== 'failed') return;
      for (const { strategy, reason, sent, received } of verdict.attempts) {
        const packets = sent === undefined ? '' : ` (${sent} sent, ${received} answered)`;
        say(`  tried ${strategy}: ${reason}${packets}`);
      }
      for (const advice of verdict.advice) say(`  ${pc.yellow('hint')}: ${advice}`);
    },
    error: ({ code, message }) => say(`${pc.red('error')}: ${message} ${pc.dim(`[${code}]`)}`),
  };
}

function describePath({ kind, transport, remote, strategy, rtt }: PathInfo): string {
  const trip = rtt === undefined ? '' : `, ${rtt.toFixed(0)} ms`;
  return kind === 'direct'
    ? `${pc.green('direct path')}  ${transport} ${remote} (${strategy}${trip})`
    : `${pc.yellow('relayed path')} ${transport} ${remote}`;
}

function plainCandidates({ candidates }: Verdict): object {
  const plain = ({ type, endpoint }: Pick<Candidate, 'type' | 'endpoint'>) => ({
    type,
    address: formatEndpoint(endpoint),
  });
  return { candidates: { local: candidates.local.map(plain), remote: candidates.remote.map(plain) } };
}

/** ms since the process began. */
function elapsed(): number {
  return round(performance.now());
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
