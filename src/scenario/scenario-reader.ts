import { type Policy, policies } from '../core/policy.ts';
import { Fields, usage } from '../sim/fields.ts';
import { readInternetPlan } from '../sim/plan-reader.ts';
import { DEFAULT_UNTIL, type DialPlan, type PeerPlan, type Scenario } from './scenario.ts';

/**
 * Reads plain data, such as parsed JSON, as a {@link Scenario}. Throws `ERR_USAGE` with the path of the field that is not as it should
 * be, as in `dials[0].to`. Whether networks and addresses fit together is found when it runs.
 */
export function readScenario(value: unknown): Scenario {
  const fields = new Fields(value, '', ['internet', 'peers', 'dials', 'until']);
  const scenario = {
    internet: fields.required('internet', fields.nested('internet', readInternetPlan)),
    peers: fields.required('peers', fields.list('peers', readPeer)),
    dials: fields.list('dials', readDial) ?? [],
    until: fields.number('until', TIME),
  };
  checkPeers(scenario);
  checkDials(scenario);
  return scenario;
}

function readPeer(value: unknown, path: string): PeerPlan {
  const fields = new Fields(value, path, PEER_FIELDS);
  return {
    name: fields.required('name', fields.text('name')),
    host: fields.required('host', fields.text('host')),
    startsAt: fields.number('startsAt', TIME),
    servers: fields.texts('servers'),
    stun: fields.texts('stun'),
    turn: fields.texts('turn'),
    flow: fields.text('flow'),
    policy: fields.oneOf<Policy>('policy', policies),
    mapping: fields.boolean('mapping'),
  };
}

function readDial(value: unknown, path: string): DialPlan {
  const fields = new Fields(value, path, DIAL_FIELDS);
  return {
    at: fields.required('at', fields.number('at', TIME)),
    from: fields.required('from', fields.text('from')),
    to: fields.required('to', fields.text('to')),
    by: fields.oneOf('by', ['ticket', 'key']),
    timeout: fields.number('timeout', { min: 1, max: TIME.max }),
    lasts: fields.number('lasts', TIME),
    pingEvery: fields.number('pingEvery', { min: 1, max: TIME.max }),
  };
}

function checkPeers({ internet: { hosts = [] }, peers, until = DEFAULT_UNTIL }: Scenario): void {
  for (const [i, { name, host, servers, startsAt = 0 }] of peers.entries()) {
    const path = `peers[${i}]`;
    if (peers.findIndex((other) => other.name === name) < i)
      throw usage(`${path}.name`, `there is a peer ${name} already`);
    if (hosts.every((known) => known.name !== host)) throw usage(`${path}.host`, `there is no host ${host}`);
    if (startsAt >= until) throw usage(`${path}.startsAt`, `must be before the end of the run at ${until} ms`);
    if (servers === undefined && rendezvousServers(hosts).length === 0) {
      throw usage(`${path}.servers`, 'is missing, and no host of the internet has a rendezvous service');
    }
  }
}

function checkDials({ peers, dials, until = DEFAULT_UNTIL }: Scenario): void {
  for (const [i, dial] of dials.entries()) {
    for (const field of ['from', 'to'] as const) {
      const isKnown = peers.some(({ name }) => name === dial[field]);
      if (!isKnown) throw usage(`dials[${i}].${field}`, `there is no peer ${dial[field]}`);
    }
    if (dial.at >= until) throw usage(`dials[${i}].at`, `must be before the end of the run at ${until} ms`);
    if (dial.from === dial.to) throw usage(`dials[${i}].to`, 'must be another peer than the one that dials');
  }
}

/** URLs of the rendezvous services of an internet. */
export function rendezvousServers(hosts: Scenario['internet']['hosts'] = []): readonly string[] {
  return hosts.flatMap(({ name, services = [] }) =>
    services.flatMap((service) => (service.type === 'rendezvous' ? `ws://${name}:${service.port ?? 8790}` : [])),
  );
}

const PEER_FIELDS: readonly (keyof PeerPlan)[] = [
  'name',
  'host',
  'startsAt',
  'servers',
  'stun',
  'turn',
  'flow',
  'policy',
  'mapping',
];
const DIAL_FIELDS: readonly (keyof DialPlan)[] = ['at', 'from', 'to', 'by', 'timeout', 'lasts', 'pingEvery'];
/** ms: a year at most. */
const TIME = { min: 0, max: 31_622_400_000 };
