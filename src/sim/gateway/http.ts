import type { Endpoint } from '../../core/endpoint.ts';
import { DecodeError, TraversalError } from '../../core/errors.ts';
import { createHttpRequestReader, MAX_SOAP_REQUEST, type ReceivedRequest, refuse } from '../../protocol/upnp/index.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { type GatewaySite, isInside } from './gateway-site.ts';

/** The whole response to a request of `client`, a numeric address. `now` in ms. */
export type HttpHandler = (request: ReceivedRequest, client: string, now: number) => Uint8Array;

/** Answers one request on each connection of the gateway's own network, until the router goes down. */
export function serveHttp(site: GatewaySite, at: Endpoint, handler: HttpHandler): void {
  const { router, clock } = site;
  const open = new Set<TcpSocket>();

  async function serve(socket: TcpSocket): Promise<void> {
    const timer = clock.setTimeout(() => socket.destroy(), PATIENCE);
    open.add(socket);
    try {
      const request = await readRequest(socket);
      if (request === undefined) return;
      const client = socket.remote.address;
      await socket.write(request === 'malformed' ? refuse(400) : handler(request, client, clock.now()));
      await socket.end();
    } catch (error) {
      // The connection broke: nobody is left to be answered.
      if (!(error instanceof TraversalError)) throw error;
    } finally {
      clock.clearTimeout(timer);
      open.delete(socket);
      socket.destroy();
    }
  }

  router.tcp.listen({ address: at.address, port: at.port }, (socket) => {
    if (open.size < MAX_CONNECTIONS && isInside(site, socket.remote.address)) void serve(socket);
    else socket.destroy();
  });
}

/** `undefined` when the other side ended before its request did. */
async function readRequest(socket: TcpSocket): Promise<ReceivedRequest | 'malformed' | undefined> {
  const reader = createHttpRequestReader({ maxBody: MAX_SOAP_REQUEST });
  try {
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
      const request = reader.push(chunk);
      if (request !== undefined) return request;
    }
    return undefined;
  } catch (error) {
    if (error instanceof DecodeError) return 'malformed';
    throw error;
  }
}

const MAX_CONNECTIONS = 64;
/** ms for a request and its response. */
const PATIENCE = 10_000;
