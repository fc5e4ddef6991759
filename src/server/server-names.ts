import { X509Certificate } from 'node:crypto';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import { classifyAddress, parseIp } from '../core/ip-address.ts';
import { parseServerName } from '../core/server-url.ts';

/**
 * What a server is called. Registrations are signed for a name, so that they are worth nothing at a server of another
 * one.
 */
export interface ServerNames {
  /**
   * The name to tell a client: its Host header when that is a name of this server, else one that is. Where nobody has
   * told the server its names, whatever the client says: then another server may register its own clients here.
   */
  nameFor(host: string | undefined, local: Endpoint): string;
}

export interface ServerNamesOptions {
  /** `host[:port]` under which clients dial the server. */
  readonly names: readonly string[];
  /** PEM of the TLS certificate: its DNS names and addresses are names too, on any port. */
  readonly certificate: string | Uint8Array | undefined;
}

/** Throws `ERR_USAGE` for what is no name or no certificate. */
export function createServerNames(options: ServerNamesOptions): ServerNames {
  const names = options.names.map(readName);
  const certificate = options.certificate === undefined ? undefined : readCertificate(options.certificate);
  const isUntold = names.length === 0 && certificate === undefined;
  return {
    nameFor(host, local) {
      const asked = host === undefined ? undefined : parseServerName(host);
      const literals = literalNames(local);
      if (asked !== undefined && (isUntold || names.includes(asked) || literals.includes(asked))) return asked;
      if (asked !== undefined && certificate !== undefined && isCertified(certificate, asked)) return asked;
      return names[0] ?? literals[0];
    },
  };
}

/** The address that the connection came to, and `localhost` where that is what it is. */
function literalNames(local: Endpoint): [string, ...string[]] {
  const literal = formatEndpoint(local);
  const name = parseServerName(literal) ?? literal;
  if (classifyAddress(local.address) !== 'loopback') return [name];
  return [name, parseServerName(`localhost:${local.port}`) ?? name];
}

function isCertified(certificate: X509Certificate, name: string): boolean {
  const host = new URL(`ws://${name}`).hostname.replace(/^\[|\]$/g, '');
  const found = parseIp(host) === undefined ? certificate.checkHost(host) : certificate.checkIP(host);
  return found !== undefined;
}

function readName(text: string): string {
  const name = parseServerName(text);
  if (name === undefined) {
    throw new TraversalError('ERR_USAGE', `a server's name is the host[:port] that clients dial, not "${text}"`);
  }
  return name;
}

function readCertificate(pem: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new TraversalError('ERR_USAGE', `the TLS certificate cannot be used: ${String(error)}`, { cause: error });
  }
}
