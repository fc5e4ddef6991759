import {
  type HomesOptions,
  homes,
  type NetworkPlan,
  type PlannedEvent,
  type PresetName,
  presets,
  type Scenario,
} from '../sim.ts';
import { describeRouter } from './nat-words.ts';

export interface DemoWorld {
  readonly a: PresetName;
  readonly b: PresetName;
  readonly seed: number;
}

/**
 * Two homes, each behind a preset; the dialer pings the listener over the connection, and in the middle of it something
 * happens to a network.
 */
export function demoScenario({ a, b, seed }: DemoWorld): Scenario {
  const options: HomesOptions = { a, b, seed };
  const { internet, dials, ...rest } = homes(options);
  return {
    ...rest,
    internet: { ...internet, events: incident(internet.networks ?? []) },
    dials: dials.map((dial) => ({ ...dial, lasts: LASTS, pingEvery: PING_EVERY })),
  };
}

/** Lines that say who is behind what. */
export function describeWorld({ a, b, seed }: DemoWorld, { internet }: Scenario): readonly string[] {
  const networks = internet.networks ?? [];
  const describeHome = (name: string, preset: PresetName): string[] => [
    `  ${name.padEnd(11)}${preset}: ${presets[preset].title}`,
    ...networks.filter((network) => isOf(network, name)).flatMap(describeNetwork),
  ];
  return [
    `Two peers on a simulated internet, 20 ms away from it. Times are virtual, in ms; the seed is ${seed}.`,
    '',
    ...describeHome('a', a),
    ...describeHome('b', b),
    '  server     rendezvous, relay and STUN, on the internet',
  ];
}

function describeNetwork(network: NetworkPlan): string[] {
  return describeRouter(network).map((line, i) => `    ${(i === 0 ? network.name : '').padEnd(11)}${line}`);
}

/**
 * What happens to the connection in the middle. Most telling is a NAT that gives out other ports than before; where ports
 * stay as they were, the router gets another address; where there is no router, the listener's cable is pulled for a while.
 */
function incident(networks: readonly NetworkPlan[]): readonly PlannedEvent[] {
  const shuffling = networks.findLast(({ nat }) => nat !== undefined && nat.portAllocation !== 'preserve');
  if (shuffling !== undefined) return [{ at: INCIDENT_AT, type: 'rebind', network: shuffling.name }];
  const [router] = networks;
  if (router !== undefined) return [{ at: INCIDENT_AT, type: 'readdress', network: router.name }];
  const cable = { type: 'link', network: 'internet', host: 'b' } as const;
  return [
    { at: INCIDENT_AT, ...cable, state: 'down' },
    { at: INCIDENT_AT + 2_000, ...cable, state: 'up' },
  ];
}

/** The networks of a home are called after it. */
function isOf({ name }: NetworkPlan, home: string): boolean {
  return name.startsWith(`${home}-`);
}

/** ms of virtual time. */
const INCIDENT_AT = 6_000;
const LASTS = 30_000;
const PING_EVERY = 500;
