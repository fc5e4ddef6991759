import type { Clock } from '../core/clock.ts';
import { TraversalError } from '../core/errors.ts';
import { classifyAddress } from '../core/ip-address.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { ServerLimits } from '../protocol/rendezvous/index.ts';

export interface ServerOptions {
  /** Address or name to listen on; `127.0.0.1` when absent. Any but a loopback one demands `token` or `open`. */
  readonly host?: string;
  /** TCP port; 8790 when absent, 0: any free one. */
  readonly port?: number;
  /** First of two ports, of UDP and of TCP, the other is the next one; 3478 when absent, 0: any two free ones. */
  readonly stunPort?: number;
  /** A second address of this machine, numeric: with it, clients can discover how their NAT filters (RFC 5780). */
  readonly stunAlternate?: string;
  /** False: no STUN. */
  readonly stun?: boolean;
  /** False: no datagrams are relayed. */
  readonly relay?: boolean;
  /** What clients must show as `Authorization: Bearer`; visible ASCII. */
  readonly token?: string;
  /** Serves whoever comes, without a token, on an address that others can reach. */
  readonly open?: boolean;
  /**
   * `host[:port]` under which clients dial the server: what listeners sign their registrations for. The address that a
   * connection came to and the names in the TLS certificate count too; where neither `names` nor `tls` is given,
   * whatever clients say.
   */
  readonly names?: readonly string[];
  /** PEM; makes it `wss`. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /**
   * Takes connections from loopback and private addresses for those of a reverse proxy, and the last entry of
   * X-Forwarded-For for the client's address. The proxy must write that entry itself, and clients must not reach the
   * port but through it.
   */
  readonly trustProxy?: boolean;
  /** A port of its own for `/metrics`, open to whoever can reach it; without, there is none. */
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
}

/** Throws `ERR_USAGE` for options that would open more than was asked for; `address` is what `host` stands for. */
export function checkAccess({ token, open = false }: ServerOptions, address: string): void {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new TraversalError('ERR_USAGE', 'a token is made of visible ASCII characters');
  }
  if (token === undefined && !open && classifyAddress(address) !== 'loopback') {
    throw new TraversalError(
      'ERR_USAGE',
      `others can reach ${address}: give a token that clients must show (--token <secret>), or open it to all (--open)`,
    );
  }
}
