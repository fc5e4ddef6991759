import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { systemError } from '../adapters/node/system-error.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../core/endpoint.ts';
import { DecodeError, TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Door, Visit } from './door.ts';
import { type HttpStatus, NOTHING_REJECTED, type Refusal, type RejectionReason, STATUS } from './refusal.ts';
import { decodeRequestHead, type RequestHead } from './request-head.ts';

/**
 * Takes TCP or TLS connections and reads one request from each. Node's HTTP server would work through thousands that
 * come at once.
 */
export interface HttpListener {
  readonly local: Endpoint;
  /** Connections that were not let in, or whose request was refused. */
  readonly rejected: Readonly<Record<RejectionReason, number>>;
  /** Stops accepting and ends what has not been taken; resolves when everything that was taken has ended too. */
  close(): Promise<void>;
}

/** A request, and the connection that it came on. */
export interface HttpRequest {
  readonly head: RequestHead;
  readonly visit: Visit;
  /** The address that the TCP connection came to. */
  readonly local: Endpoint;
  /** Answers with a line of text, and ends the connection. */
  answer(status: HttpStatus, text: string): void;
  refuse(refusal: Refusal): void;
  /** Gives the connection away, with what has come after the head. */
  take(): { readonly stream: Socket; readonly rest: Buffer };
}

export interface HttpListenerOptions {
  /** Numeric. */
  readonly address: string;
  readonly port: number;
  readonly tls?: TlsFiles;
  /** TCP connections at a time, those that were taken included. */
  readonly connections: number;
  readonly door: Door;
  readonly log: Log;
  readonly onRequest: (request: HttpRequest) => void;
}

/** PEM. */
export interface TlsFiles {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/**
 * Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`, `ERR_USAGE` for a certificate or key that cannot
 * be used.
 */
export async function openHttpListener(options: HttpListenerOptions): Promise<HttpListener> {
  const { address, port, connections, door, log, onRequest } = options;
  const secureContext = options.tls && readTls(options.tls);
  const rejected = { ...NOTHING_REJECTED };
  const waiting = new Set<Socket>();

  function accept(tcp: Socket): void {
    const { remoteAddress, remotePort, localAddress, localPort } = tcp;
    if (
      remoteAddress === undefined ||
      remotePort === undefined ||
      localAddress === undefined ||
      localPort === undefined
    ) {
      return void tcp.destroy();
    }
    const report = ({ message }: Error): void => log('server.connection-error', { message });
    tcp.on('error', report);
    const visit = door.admit(endpoint(remoteAddress, remotePort).address, (refusal) => {
      if (!stream.writableEnded) refuse(refusal);
      stream.destroySoon();
    });
    if ('reason' in visit) {
      turnAway(tcp, visit);
      return;
    }
    const stream = secureContext === undefined ? tcp : new TLSSocket(tcp, { isServer: true, secureContext });
    if (stream !== tcp) stream.on('error', report);
    let isBodyWanted = true;
    const answer: HttpRequest['answer'] = (status, text) => {
      if (!isSpeaking(stream)) return tcp.destroy();
      stream.end(formatAnswer(status, text, isBodyWanted));
      discard(stream);
    };
    const refuse: HttpRequest['refuse'] = ({ reason, status, text }) => {
      rejected[reason]++;
      answer(status, text);
    };
    waiting.add(tcp);
    tcp.once('close', () => {
      waiting.delete(tcp);
      visit.leave();
    });
    readHead(stream, {
      onRefuse: refuse,
      onHead(head, rest) {
        isBodyWanted = head.method !== 'HEAD';
        onRequest({
          head,
          visit,
          local: endpoint(localAddress, localPort),
          answer,
          refuse,
          take() {
            waiting.delete(tcp);
            return { stream, rest };
          },
        });
      },
    });
  }

  /** Before there was a TLS handshake, nothing can be told. */
  function turnAway(tcp: Socket, { reason, status, text }: Refusal): void {
    rejected[reason]++;
    if (secureContext === undefined) tcp.write(formatAnswer(status, text, true));
    tcp.destroySoon();
  }

  const server = createServer({ noDelay: true }, accept);
  server.maxConnections = connections;
  server.on('drop', () => rejected.connections++);
  await listen(server, address, port);
  server.on('error', ({ message }) => log('server.listener-error', { message }));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('a TCP listener has an address');
  return {
    local: endpoint(bound.address, bound.port),
    rejected,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const tcp of waiting) tcp.destroy();
      return closed;
    },
  };
}

interface HeadReader {
  readonly onHead: (head: RequestHead, rest: Buffer) => void;
  readonly onRefuse: (refusal: Refusal) => void;
}

/** Reads until there is a head, or none can come of it any more. */
function readHead(stream: Socket, { onHead, onRefuse }: HeadReader): void {
  let received: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    let head: RequestHead | undefined;
    try {
      head = decodeRequestHead(received);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      settle();
      const status = error.where === 'http/length' ? 431 : 400;
      onRefuse({ reason: 'request', status, text: error.message });
      return;
    }
    if (head === undefined) return;
    settle();
    onHead(head, received.subarray(head.length));
  };
  const settle = (): void => void stream.off('data', onData);
  stream.on('data', onData);
}

/**
 * Reads on for a while, lest a reset overtake the answer (RFC 9112 section 9.6): until the other side ends, or the
 * door's time is up.
 */
function discard(stream: Socket): void {
  let discarded = 0;
  stream.on('data', (chunk) => {
    discarded += chunk.length;
    if (discarded > MAX_DISCARDED) stream.destroy();
  });
}

/** Whether an answer could be read at the other end: TLS must have come about. */
function isSpeaking(stream: Socket): boolean {
  return stream.writable && (!(stream instanceof TLSSocket) || stream.getCipher() !== undefined);
}

function formatAnswer(status: HttpStatus, text: string, isBodyWanted: boolean): string {
  const body = `${text}\n`;
  const { phrase, field } = STATUS[status];
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(field === undefined ? [] : [field]),
  ];
  return `${head.join('\r\n')}\r\n\r\n${isBodyWanted ? body : ''}`;
}

function readTls({ cert, key }: TlsFiles): SecureContext {
  try {
    return createSecureContext({ cert: Buffer.from(cert), key: Buffer.from(key) });
  } catch (error) {
    throw new TraversalError('ERR_USAGE', `the TLS certificate or key cannot be used: ${String(error)}`, {
      cause: error,
    });
  }
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(systemError(error, `listening on TCP ${formatEndpoint(endpoint(address, port))}`)),
    );
    server.listen({ host: address, port }, resolve);
  });
}

/** Bytes of a client that has got its answer and goes on. */
const MAX_DISCARDED = 256 * 1024;
