import { Fields, usage } from './fields.ts';
import { readFirewallSpec } from './firewall-spec.ts';
import { readGatewaySpec, requireBoxes } from './gateway/gateway-spec.ts';
import { readLinkSpec } from './link-spec.ts';
import { readNatSpec } from './nat/nat-spec.ts';
import type {
  AttachmentSpec,
  HostPlan,
  HostSpec,
  InterfacePlan,
  InternetPlan,
  NetworkPlan,
  NetworkSpec,
  PlannedEvent,
  WorldEvent,
} from './plan.ts';
import { readServiceSpec } from './services/service.ts';

/**
 * Reads plain data, such as parsed JSON, as an {@link InternetPlan}. Throws `ERR_USAGE` with the path of the field that is not as it
 * should be. Whether names and addresses fit together is found when the internet is built.
 */
export function readInternetPlan(value: unknown, path = ''): InternetPlan {
  const fields = new Fields(value, path, ['seed', 'networks', 'hosts', 'events']);
  const seed = fields.raw('seed');
  return {
    seed: fields.required('seed', typeof seed === 'number' ? fields.integer('seed', SEED) : fields.text('seed')),
    networks: fields.list('networks', readNetwork) ?? [],
    hosts: fields.list('hosts', readHost) ?? [],
    events: fields.list('events', readPlannedEvent) ?? [],
  };
}

export function readWorldEvent(value: unknown, path: string): WorldEvent {
  return worldEvent(value, path, []);
}

export function readNetwork(value: unknown, path: string): NetworkPlan {
  const fields = new Fields(value, path, ['name', 'above', ...NETWORK_FIELDS]);
  return { name: readName(fields, 'name'), above: fields.text('above'), ...networkSpec(fields) };
}

function networkSpec(fields: Fields): NetworkSpec {
  const [ipv4, ipv6] = [fields.raw('ipv4'), fields.raw('ipv6')];
  const spec: NetworkSpec = {
    // What was written is kept, not what its defaults make of it.
    nat: fields.nested('nat', (value, path) => readNatSpec(value, path) && (value as NetworkSpec['nat'])),
    firewall: fields.nested(
      'firewall',
      (value, path) => readFirewallSpec(value, path) && (value as NetworkSpec['firewall']),
    ),
    gateway: fields.nested(
      'gateway',
      (value, path) => readGatewaySpec(value, path) && (value as NetworkSpec['gateway']),
    ),
    ipv4: ipv4 === false ? false : fields.text('ipv4'),
    ipv6: typeof ipv6 === 'boolean' ? ipv6 : fields.text('ipv6'),
    external: fields.texts('external'),
    uplink: fields.nested('uplink', readLinkSpec),
    isolated: fields.boolean('isolated'),
  };
  requireBoxes(spec, fields.at('gateway'));
  return spec;
}

export function readHost(value: unknown, path: string): HostPlan {
  const fields = new Fields(value, path, ['name', 'interfaces', ...HOST_FIELDS]);
  const interfaces = fields.required('interfaces', fields.list('interfaces', readInterface));
  if (interfaces.length === 0) throw usage(fields.at('interfaces'), 'must have at least one element');
  return { name: readName(fields, 'name'), interfaces, ...hostSpec(fields) };
}

function hostSpec(fields: Fields): HostSpec {
  return {
    stealth: fields.boolean('stealth'),
    aliases: fields.texts('aliases'),
    services: fields.list('services', readServiceSpec),
  };
}

export function readInterface(value: unknown, path: string): InterfacePlan {
  const fields = new Fields(value, path, ['network', ...ATTACHMENT_FIELDS]);
  return { network: readName(fields, 'network'), ...attachmentSpec(fields) };
}

function attachmentSpec(fields: Fields): AttachmentSpec {
  return { addresses: fields.texts('addresses'), link: fields.nested('link', readLinkSpec) };
}

function readPlannedEvent(value: unknown, path: string): PlannedEvent {
  const at = new Fields(value, path, Object.keys(value ?? {})).number('at', TIME);
  if (at === undefined) throw usage(`${path}.at`, 'is missing');
  return { at, ...worldEvent(value, path, ['at']) };
}

function worldEvent(value: unknown, path: string, more: readonly string[]): WorldEvent {
  const type = new Fields(value, path, Object.keys(value ?? {})).oneOf('type', EVENT_TYPES);
  if (type === undefined) throw usage(`${path}.type`, 'is missing');
  const fields = new Fields(value, path, ['type', ...more, ...EVENT_FIELDS[type]]);
  const name = (field: string): string => readName(fields, field);
  switch (type) {
    case 'reboot':
      return { type, network: name('network'), downFor: fields.number('downFor', TIME) };
    case 'rebind':
      return { type, network: name('network') };
    case 'readdress':
      return { type, network: name('network'), external: fields.texts('external') };
    case 'roam':
      return { type, host: name('host'), from: name('from'), to: name('to'), ...attachmentSpec(fields) };
    case 'link': {
      const state = fields.required('state', fields.oneOf<'down' | 'up'>('state', ['down', 'up']));
      return { type, state, network: name('network'), host: fields.text('host') };
    }
    case 'restart':
      return { type, host: name('host'), downFor: fields.number('downFor', TIME) };
    case 'churn': {
      const rate = fields.required('rate', fields.number('rate', { min: 0.001, max: 100_000 }));
      return { type, network: name('network'), rate, lasts: fields.required('lasts', fields.number('lasts', TIME)) };
    }
  }
}

function readName(fields: Fields, field: string): string {
  return fields.required(field, fields.text(field));
}

const NETWORK_FIELDS: readonly (keyof NetworkSpec)[] = [
  'nat',
  'firewall',
  'gateway',
  'ipv4',
  'ipv6',
  'external',
  'uplink',
  'isolated',
];
const HOST_FIELDS: readonly (keyof HostSpec)[] = ['stealth', 'aliases', 'services'];
const ATTACHMENT_FIELDS: readonly (keyof AttachmentSpec)[] = ['addresses', 'link'];
const EVENT_FIELDS: Readonly<Record<WorldEvent['type'], readonly string[]>> = {
  reboot: ['network', 'downFor'],
  rebind: ['network'],
  readdress: ['network', 'external'],
  roam: ['host', 'from', 'to', ...ATTACHMENT_FIELDS],
  link: ['state', 'network', 'host'],
  restart: ['host', 'downFor'],
  churn: ['network', 'rate', 'lasts'],
};
const EVENT_TYPES = Object.keys(EVENT_FIELDS) as readonly WorldEvent['type'][];
const SEED = { min: 0, max: Number.MAX_SAFE_INTEGER };
/** ms: a year at most. */
const TIME = { min: 0, max: 31_622_400_000 };
