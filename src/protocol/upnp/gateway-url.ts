import { endpoint } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';

/** A place on the gateway itself that is asked over HTTP. */
export interface GatewayUrl {
  /** The whole URL, normalised. */
  readonly href: string;
  /** Numeric address. */
  readonly address: string;
  /** 80, or 1024..65535. */
  readonly port: number;
  /** Path and query, as they stand in a request line. */
  readonly path: string;
}

/**
 * Reads a URL, relative to `base` where one is given. `undefined` unless it is plain HTTP to the numeric address `at`: a gateway
 * must not make us ask somebody else, nor, in somebody else's name, a service that is not HTTP: of the ports below 1024 only 80 is taken.
 */
export function gatewayUrl(text: string, at: string, base?: string): GatewayUrl | undefined {
  if (text.length > MAX_LENGTH || (base?.length ?? 0) > MAX_LENGTH || !URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  if (url.href.length > MAX_LENGTH || url.protocol !== 'http:' || url.username !== '' || url.password !== '')
    return undefined;
  const port = Number(url.port || HTTP_PORT);
  if (port < 1024 && port !== HTTP_PORT) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (parseIp(host) === undefined || endpoint(host, 0).address !== at) return undefined;
  return { href: url.href, address: at, port, path: url.pathname + url.search };
}

const MAX_LENGTH = 1024;
const HTTP_PORT = 80;
