import type { NodeConnectionOptions } from '@nats-io/transport-node';
import type { NatsAccess } from './nats-access.ts';

/** What the optional package gives, once it has been loaded. */
export type NatsModule = typeof import('@nats-io/transport-node');

/** For the client: plain connections are upgraded to TLS where the server can, and `tls://` insists on it. */
export function natsOptions(nats: NatsModule, { url, ...access }: NatsAccess & { url: string }): NodeConnectionOptions {
  const { token, user, creds, tls } = access;
  // `host` is Node's, which the client hands it to.
  const named = { ...tls, host: hostOf(url) };
  return {
    servers: url.replace(/^[a-z]+:\/\//i, ''),
    name: 'sallyport',
    timeout: PATIENCE,
    pingInterval: PING_INTERVAL,
    maxPingOut: 1,
    maxReconnectAttempts: -1,
    ...(token !== undefined && { token }),
    ...(user !== undefined && { user: user.name, pass: user.password }),
    ...(creds !== undefined && { authenticator: nats.credsAuthenticator(new TextEncoder().encode(creds)) }),
    ...((tls !== undefined || /^tls:/i.test(url)) && { tls: named }),
  };
}

/** The name that the certificate must have: by itself the client would take an address for `localhost`. */
function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/** How long a server may take to answer, in ms. */
const PATIENCE = 10_000;
/** A server that says nothing between two pings is given up, in ms. */
const PING_INTERVAL = 20_000;
