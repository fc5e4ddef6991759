import { type Endpoint, endpoint, type Family } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { PortMapperEnvironment } from '../../core/port-mapper.ts';
import type { GatewayClient } from '../../protocol/gateway-client.ts';
import { NATPMP_CLIENT_PORT, NATPMP_PORT } from '../../protocol/natpmp/index.ts';
import { createGatewayLink, type GatewayLink } from './gateway-link.ts';

/** Links by gateway and local address, each kept while somebody uses it: its engine remembers the gateway's epoch. */
export interface GatewayLinks<Request, Response> {
  /** A link that its user gives back by `leave`, once for each `enter`. Errors: `ERR_CLOSED`, and those of `Network.udp`. */
  enter(gateway: string, local: string): Promise<GatewayLink<Request, Response>>;
  leave(gateway: string, local: string): void;
  /** Closes all links, whoever uses them. */
  close(): void;
}

export interface GatewayLinksOptions<Request, Response> {
  readonly environment: PortMapperEnvironment;
  /** The protocol's name, for messages. */
  readonly name: string;
  readonly client: (server: Endpoint) => GatewayClient<Request, Response>;
  readonly encode: (request: Request) => Uint8Array;
  readonly onRestart: (gateway: string) => void;
}

/** Where gateways tell all hosts of a network that they have restarted (RFC 6886 section 3.2.1, RFC 6887 section 14.1.1). */
const ALL_HOSTS: Readonly<Record<Family, string>> = { 4: '224.0.0.1', 6: 'ff02::1' };

export function createGatewayLinks<Request, Response>(
  options: GatewayLinksOptions<Request, Response>,
): GatewayLinks<Request, Response> {
  const { environment, name, client, encode, onRestart } = options;
  const { network, clock, log } = environment;
  const entries = new Map<string, Entry<Request, Response>>();
  let closed = false;

  async function open(gateway: string, local: string, onEnd: () => void): Promise<GatewayLink<Request, Response>> {
    const server = endpoint(gateway, NATPMP_PORT);
    const socket = await network.udp({ family: server.family, address: local });
    return createGatewayLink({
      server,
      name,
      socket,
      announcements: await listen(server, local),
      client: client(server),
      encode,
      clock,
      log,
      onRestart: () => onRestart(gateway),
      onEnd,
    });
  }

  /** Without announcements a restart is noticed by the next answer, so failing to hear them fails nothing. */
  async function listen({ address, family }: Endpoint, local: string): Promise<DatagramSocket | undefined> {
    let socket: DatagramSocket | undefined;
    try {
      socket = await network.udp({ family, port: NATPMP_CLIENT_PORT, shared: true });
      socket.joinGroup?.(ALL_HOSTS[family], local);
    } catch (error) {
      log('port-mapper.deaf', { name, gateway: address, error: String(error) });
    }
    return socket;
  }

  /** The link of an entry; another one where opening failed, or where the link has ended since. */
  function linkOf(
    entry: Entry<Request, Response>,
    gateway: string,
    local: string,
  ): Promise<GatewayLink<Request, Response>> {
    if (entry.link !== undefined) return entry.link;
    const forget = (): void => {
      if (entry.link === link) entry.link = undefined;
    };
    const link = open(gateway, local, forget);
    link.catch(forget);
    entry.link = link;
    return link;
  }

  /** An opening that fails has told whoever entered. */
  function drop(key: string, { link }: Entry<Request, Response>): void {
    entries.delete(key);
    link?.then(
      ({ close }) => close(),
      () => {},
    );
  }

  function leave(gateway: string, local: string): void {
    const key = keyOf(gateway, local);
    const entry = entries.get(key);
    if (entry !== undefined && --entry.users === 0) drop(key, entry);
  }

  return {
    async enter(gateway, local) {
      if (closed) throw new TraversalError('ERR_CLOSED', `${name}: the port mapper is closed`);
      const key = keyOf(gateway, local);
      const entry = entries.get(key) ?? { users: 0, link: undefined };
      entries.set(key, entry);
      entry.users++;
      try {
        return await linkOf(entry, gateway, local);
      } catch (error) {
        leave(gateway, local);
        throw error;
      }
    },
    leave,
    close() {
      closed = true;
      for (const [key, entry] of entries) drop(key, entry);
    },
  };
}

interface Entry<Request, Response> {
  users: number;
  /** Undefined where it is to be opened. */
  link: Promise<GatewayLink<Request, Response>> | undefined;
}

function keyOf(gateway: string, local: string): string {
  return `${gateway} ${local}`;
}
