import { createRendezvousEngine, isStunServer } from '../../protocol/rendezvous/index.ts';
import { Fields, usage } from '../fields.ts';
import { RendezvousClients } from './rendezvous-clients.ts';
import type { ServiceSite } from './service.ts';
import { stunNames } from './stun.ts';

/** The rendezvous server of `sallyport serve`, with its datagram relay, at `ws://<name of the host>:<port>`. */
export interface RendezvousServiceSpec {
  readonly type: 'rendezvous';
  /** TCP port, 1..65535; default 8790. */
  readonly port?: number;
  /** STUN servers that it tells its clients of, at most 8: `host:port`. Default: the STUN services of the same host. */
  readonly stun?: readonly string[];
  /** Whether it relays datagrams; default true. */
  readonly relay?: boolean;
}

export function readRendezvousSpec(value: unknown, path: string): RendezvousServiceSpec {
  const fields = new Fields(value, path, ['type', 'port', 'stun', 'relay']);
  const stun = fields.list('stun', readStunServer);
  if (stun !== undefined && stun.length > MAX_STUN)
    throw usage(fields.at('stun'), `must have at most ${MAX_STUN} elements`);
  return {
    type: 'rendezvous',
    port: fields.integer('port', { min: 1, max: 65_535 }),
    stun,
    relay: fields.boolean('relay'),
  };
}

/** Errors: `ERR_PORT_IN_USE`. */
export function startRendezvous(spec: RendezvousServiceSpec, { host, clock, random, services }: ServiceSite): void {
  const { port = DEFAULT_PORT, relay = true } = spec;
  // Chance goes on where it was when the host restarts: no challenge comes twice.
  const chance = random.stream(`rendezvous ${port}`);
  host.serve(() => {
    const siblings = services.flatMap((service) => (service.type === 'stun' ? stunNames(service, host) : []));
    const engine = createRendezvousEngine({ random: chance, stun: spec.stun ?? siblings.slice(0, MAX_STUN), relay });
    const clients = new RendezvousClients(engine, clock);
    const listener = host.tcp.listen({ port }, (socket) => clients.admit(socket));
    listener.onClosed = () => clients.forget();
  });
}

function readStunServer(value: unknown, path: string): string {
  if (typeof value === 'string' && isStunServer(value)) return value;
  throw usage(path, `must be a STUN server as host:port, not ${JSON.stringify(value)}`);
}

const DEFAULT_PORT = 8790;
/** What a client reads of a server's hello. */
const MAX_STUN = 8;
