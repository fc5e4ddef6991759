import type { Network } from '../../../core/network.ts';
import {
  createHttpResponseReader,
  encodeHttpRequest,
  type HttpRequest,
  type HttpResponse,
} from '../../../protocol/upnp/index.ts';

export interface HttpExchange {
  readonly response: HttpResponse;
  /** Address of this host by which the gateway knows it. */
  readonly local: string;
}

/**
 * One request and its response over a connection of their own; `maxBody` in bytes. Redirects are not followed. Errors: those of
 * `Network.connect`, `ERR_DECODE` when the response makes no sense, is too long or incomplete, `ERR_CONNECTION_RESET`.
 */
export async function httpExchange(
  network: Network,
  request: HttpRequest,
  maxBody: number,
  signal: AbortSignal,
): Promise<HttpExchange> {
  const { address: host, port } = request.url;
  const socket = await network.connect({ host, port, signal });
  const destroy = (): void => socket.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  try {
    signal.throwIfAborted();
    await socket.write(encodeHttpRequest(request));
    const reader = createHttpResponseReader({ maxBody });
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
      const response = reader.push(chunk);
      if (response !== undefined) return { response, local: socket.local.address };
    }
    return { response: reader.end(), local: socket.local.address };
  } finally {
    signal.removeEventListener('abort', destroy);
    destroy();
  }
}
