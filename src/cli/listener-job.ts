import type { SessionStream } from '../core/session.ts';
import { type ByteSocket, TraversalError } from '../index.ts';
import { nodeNetwork } from '../node.ts';
import type { HostPort } from './host-port.ts';
import { pipeStandardStreams } from './pipe.ts';
import { CODE_BUSY, CODE_REFUSED, CODE_UNREACHABLE, PING } from './protocols.ts';
import type { Reporter } from './reporter.ts';
import { createStandardInput } from './standard-input.ts';
import { createStandardOutput } from './standard-output.ts';
import { echoStream, exchangeLine, join } from './stream-jobs.ts';

export interface ListenerJobOptions {
  readonly echo?: boolean;
  readonly forward?: HostPort;
  readonly message?: string;
  readonly json?: boolean;
}

/** What a listener does with the streams that its peers open. */
export interface ListenerJob {
  /** Whether stdout carries the stream's bytes. */
  readonly usesStdout: boolean;
  /** Serves one stream. `busy` and errors are told to the other side by a reset. */
  serve(stream: SessionStream): Promise<void>;
  /** Fulfils when the one stream that the job was for has ended; never where it serves many. */
  readonly done: Promise<void>;
  /** Lets go of stdin and stdout, so that the process can end. */
  release(): void;
}

/** Throws `ERR_USAGE` when the options exclude each other. */
export function chooseJob(
  { echo = false, forward, message, json = false }: ListenerJobOptions,
  reporter: Reporter,
): ListenerJob {
  if ([echo, forward !== undefined, message !== undefined].filter(Boolean).length > 1) {
    throw new TraversalError('ERR_USAGE', 'choose one of --echo, --forward and --message');
  }
  if (message !== undefined && !json) throw new TraversalError('ERR_USAGE', '--message goes with --json');
  if (echo) return serveMany(echoStream);
  if (forward !== undefined) return serveMany((stream) => forwardStream(stream, forward));
  if (message !== undefined) {
    return serveOne(false, async (stream) => {
      await exchangeLine(stream, message, reporter.message);
    });
  }
  if (json) return serveMany(async (stream) => stream.reset(CODE_REFUSED));
  const [stdin, stdout] = [createStandardInput(), createStandardOutput()];
  return {
    ...serveOne(true, (stream) => pipeStandardStreams(stream, stdin, stdout)),
    release() {
      stdin.release();
      stdout.release();
    },
  };
}

/** Every listener answers pings, whatever its job. */
export function serveStream(stream: SessionStream, job: ListenerJob): Promise<void> {
  return stream.protocol === PING ? echoStream(stream) : job.serve(stream);
}

function serveMany(serve: (stream: SessionStream) => Promise<void>): ListenerJob {
  return { usesStdout: false, serve, done: new Promise(() => {}), release: () => {} };
}

function serveOne(usesStdout: boolean, run: (stream: SessionStream) => Promise<void>): ListenerJob {
  let finish: (result: Promise<void>) => void = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let taken = false;
  return {
    usesStdout,
    done,
    release: () => {},
    async serve(stream) {
      if (taken) return stream.reset(CODE_BUSY);
      taken = true;
      const running = run(stream);
      finish(running);
      await running;
    },
  };
}

async function forwardStream(stream: SessionStream, to: HostPort): Promise<void> {
  const ended = new AbortController();
  stream.finished.catch(() => ended.abort());
  let socket: ByteSocket;
  try {
    socket = await nodeNetwork().connect({ ...to, signal: ended.signal });
  } catch (error) {
    stream.reset(CODE_UNREACHABLE);
    throw error;
  }
  await join(stream, socket);
}
