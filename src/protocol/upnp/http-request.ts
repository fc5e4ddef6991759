import { endpoint, formatEndpoint } from '../../core/endpoint.ts';
import type { GatewayUrl } from './gateway-url.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: GatewayUrl;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** One HTTP/1.1 request, alone on its connection (RFC 9112 sections 3 and 9.6). */
export function encodeHttpRequest({ method, url, fields = {}, body }: HttpRequest): Uint8Array {
  const lines = [
    `${method} ${url.path} HTTP/1.1`,
    `Host: ${formatEndpoint(endpoint(url.address, url.port))}`,
    'Connection: close',
    'User-Agent: sallyport UPnP/2.0',
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
  ];
  const head = new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
  return body === undefined ? head : Buffer.concat([head, body]);
}
