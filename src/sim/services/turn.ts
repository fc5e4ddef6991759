import { createTurnServer, type PortRange } from '../../protocol/turn/index.ts';
import { Fields, usage } from '../fields.ts';
import type { ServiceSite } from './service.ts';
import { TurnSockets } from './turn-sockets.ts';

/** TURN (RFC 8656) over UDP and TCP, on every address of the host; it relays from the first of each family. */
export interface TurnServiceSpec {
  readonly type: 'turn';
  /** Of both UDP and TCP, 1..65535; default 3478. Binding requests (STUN) are answered there too. */
  readonly port?: number;
  /** Passwords by user name, at least one. */
  readonly users: Readonly<Record<string, string>>;
  /** Default: the name of the host. */
  readonly realm?: string;
  /** What it relays from; default 49152..65535. */
  readonly relayPorts?: PortRange;
}

export function readTurnSpec(value: unknown, path: string): TurnServiceSpec {
  const fields = new Fields(value, path, ['type', 'port', 'users', 'realm', 'relayPorts']);
  const realm = fields.text('realm');
  if (realm !== undefined && realm.length > MAX_REALM) {
    throw usage(fields.at('realm'), `must have at most ${MAX_REALM} characters`);
  }
  return {
    type: 'turn',
    port: fields.integer('port', PORT),
    users: fields.required('users', fields.nested('users', readUsers)),
    realm,
    relayPorts: fields.nested('relayPorts', readPortRange),
  };
}

/** Errors: `ERR_PORT_IN_USE`. */
export function startTurn(spec: TurnServiceSpec, { host, clock, random }: ServiceSite): void {
  const { port = DEFAULT_PORT, users, realm = host.name.slice(0, MAX_REALM), relayPorts } = spec;
  // Chance goes on where it was when the host restarts: nonces of before are stale.
  const chance = random.stream(`turn ${port}`);
  host.serve(() => {
    const addresses = host.interfaces.flatMap((each) => each.addresses.map(({ address }) => address));
    const relayAddresses = FAMILIES.flatMap((isOfFamily) => addresses.find(isOfFamily) ?? []);
    const engine = createTurnServer({ realm, users, relayAddresses, relayPorts, random: chance });
    new TurnSockets(engine, host, clock).open(addresses, port);
  });
}

function readUsers(value: unknown, path: string): Record<string, string> {
  const names = Object.keys(value ?? {});
  const fields = new Fields(value, path, names);
  if (names.length === 0) throw usage(path, 'must name at least one user');
  return Object.fromEntries(names.map((name) => [name, fields.required(name, fields.text(name))]));
}

function readPortRange(value: unknown, path: string): PortRange {
  const fields = new Fields(value, path, ['first', 'last']);
  const first = fields.required('first', fields.integer('first', PORT));
  const last = fields.required('last', fields.integer('last', { min: first, max: PORT.max }));
  return { first, last };
}

const FAMILIES = [(address: string) => !address.includes(':'), (address: string) => address.includes(':')];
const PORT = { min: 1, max: 65_535 };
/** RFC 8656 section 5. */
const DEFAULT_PORT = 3478;
/** Characters (RFC 8489 section 14.9). */
const MAX_REALM = 127;
