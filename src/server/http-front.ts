import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemError } from '../adapters/node/system-error.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { MAX_FRAME } from '../protocol/rendezvous/index.ts';

/** The HTTP side: `/healthz`, and WebSockets for whoever shows the token. */
export interface HttpFront {
  readonly local: Endpoint;
  /** Stops accepting; WebSockets live on and are their owner's to close. */
  close(): Promise<void>;
}

export interface HttpFrontOptions {
  /** Numeric. */
  readonly address: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly tls: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array } | undefined;
  /** TCP connections at a time. */
  readonly connections: number;
  readonly log: Log;
  readonly onWebSocket: (socket: WebSocket) => void;
}

/** Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`, `ERR_USAGE` for a certificate or key that cannot be used. */
export async function openHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  const { address, port, token, log, onWebSocket } = options;
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
  });
  const server = createListener(options);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (token !== undefined && !showsToken(request, token)) return refuseUpgrade(socket, log);
    upgrader.handleUpgrade(request, socket, head, onWebSocket);
  });
  await listen(server, address, port);
  server.on('error', ({ message }) => log('server.listener-error', { message }));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('a TCP listener has an address');
  return {
    local: endpoint(bound.address, bound.port),
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function createListener({ tls, connections }: HttpFrontOptions): Server {
  const limits = { headersTimeout: HTTP_PATIENCE, requestTimeout: HTTP_PATIENCE };
  const server = tls === undefined ? createServer(limits, answer) : createTls(tls, limits);
  server.maxConnections = connections;
  return server;
}

function createTls(tls: { cert: string | Uint8Array; key: string | Uint8Array }, limits: object): Server {
  try {
    return createTlsServer({ cert: Buffer.from(tls.cert), key: Buffer.from(tls.key), ...limits }, answer);
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

function answer(request: IncomingMessage, response: ServerResponse): void {
  const isHealthCheck = request.url === '/healthz' && (request.method === 'GET' || request.method === 'HEAD');
  response.writeHead(isHealthCheck ? 200 : 426, {
    'content-type': 'text/plain',
    ...(!isHealthCheck && { connection: 'upgrade', upgrade: 'websocket' }),
  });
  response.end(isHealthCheck ? 'ok\n' : 'this is a Sallyport rendezvous server: it speaks WebSocket\n');
}

function showsToken(request: IncomingMessage, token: string): boolean {
  const shown = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return shown !== undefined && timingSafeEqual(digest(shown), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** RFC 6750 section 3. */
function refuseUpgrade(socket: Duplex, log: Log): void {
  socket.on('error', (error) => log('server.upgrade-error', { message: error.message }));
  socket.once('finish', () => socket.destroy());
  socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

/** How long a client may take to send a request, in ms. */
const HTTP_PATIENCE = 10_000;
