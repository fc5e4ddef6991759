import { defaultFlow, defineFlow, type Flow } from '../../src/index.ts';
import type { NatSpec, NetworkSpec } from '../../src/sim.ts';
import {
  actorFaults,
  brokenStrategy,
  createTraversalModel,
  type Driver,
  EVENTS,
  type ModelEvent,
  type ModelEventType,
  type ModelPath,
  RARE_EVENTS,
  type SimulatorDriverOptions,
  simulatorDriver,
  type TraversalModel,
} from '../../src/testing/index.ts';

/** A model, a place, and the paths that are made to happen there. */
export interface Expedition {
  readonly title: string;
  readonly model: TraversalModel;
  readonly driver: Driver;
  readonly paths: readonly ModelPath[];
}

export const flows = {
  default: defaultFlow,
  'direct-only': defineFlow({ ...defaultFlow.spec, policy: 'direct-only' }),
  'relay-only': defineFlow({ ...defaultFlow.spec, policy: 'relay-only' }),
} as const satisfies Readonly<Record<string, Flow>>;

/** All that is done to reach every part of the charts of the shipped flows. */
export function expeditions(): readonly Expedition[] {
  return [
    expedition('default', flows.default, { a: 'linux', b: 'linux' }),
    expedition('default at hotels', flows.default, { a: 'hotel-wifi', b: 'hotel-wifi' }, { pause: 2_500 }),
    expedition(
      'default, rarities',
      flows.default,
      { a: 'linux', b: 'home-router' },
      { events: RARITIES, pause: 1_000 },
    ),
    expedition('default, left alone', flows.default, HOTELS, { events: EVERY_DAY, rest: 45_000 }),
    expedition('direct-only', flows['direct-only'], { a: 'linux', b: 'home-router' }),
    expedition('direct-only at hotels', flows['direct-only'], HOTELS),
    expedition('relay-only', flows['relay-only'], { a: 'linux', b: 'linux' }),
    ...GATEWAYS.map((gateway, i) => {
      const site = [{ nat: HOME, gateway }];
      return expedition(`gateway ${i}`, flows.default, { a: site, b: site }, { events: AT_GATEWAYS, rest: 130_000 });
    }),
    ...[0, 2_000].map((pause) =>
      expedition(
        `broken actors, ${pause} ms`,
        flows.default,
        { a: WILLING, b: 'hotel-wifi' },
        { events: FAULTS, pause },
      ),
    ),
    ...brokenFlows(flows.default),
  ];
}

interface ExpeditionOptions {
  readonly events?: readonly ModelEvent[];
  readonly pause?: number;
  /** ms for which a pair at rest is left alone; default: as after all events. */
  readonly rest?: number;
  /** Whether a relayed path can be had; default: by the flow. */
  readonly relay?: boolean;
  /** Whether direct paths are had as the oracle says, and not by luck. Default true. */
  readonly direct?: boolean;
}

export function expedition(
  title: string,
  flow: Flow,
  sites: SimulatorDriverOptions,
  { events, pause, rest, relay, direct = true }: ExpeditionOptions = {},
): Expedition {
  const driver = simulatorDriver(sites);
  const prospects = direct ? driver.prospects : ({ direct: 'possible', withoutUdp: 'possible' } as const);
  const model = createTraversalModel(flow, { ...driver, prospects }, { events, relay });
  const paths = model.getShortestPaths({ pause });
  return { title, model, driver, paths: rest === undefined ? paths : paths.map((path) => leftAlone(path, rest)) };
}

function leftAlone({ description, steps }: ModelPath, rest: number): ModelPath {
  return {
    description,
    steps: steps.map(({ event, pause }) => ({ event, pause: event.type === 'time.passed' ? rest : pause })),
  };
}

/** Each strategy once thrown out and once asleep. */
function brokenFlows(flow: Flow): readonly Expedition[] {
  return flow.strategies.flatMap(({ name, gives }) =>
    (['throws', 'hangs'] as const).map((fault) =>
      expedition(
        `${name} ${fault}`,
        brokenStrategy(flow, name, fault),
        { a: 'linux', b: 'linux' },
        {
          events: ofTypes(['dialed', 'time.passed', 'aborted']),
          relay: gives === 'relayed' ? false : undefined,
          direct: gives !== 'direct' && gives !== 'candidates',
        },
      ),
    ),
  );
}

export function ofTypes(types: readonly ModelEventType[]): readonly ModelEvent[] {
  return [...EVENTS, ...RARE_EVENTS].filter(({ type }) => types.includes(type));
}

const HOTELS: SimulatorDriverOptions = { a: 'hotel-wifi', b: 'hotel-wifi' };
const HOME: NatSpec = { portAllocation: 'preserve' };
/** Leases as short as they may be: they are renewed while a test runs. */
const GATEWAYS: readonly NetworkSpec['gateway'][] = [
  { pcp: true, natPmp: true, upnp: 2, maxLifetime: 120 },
  { pcp: true, maxLifetime: 120 },
  { natPmp: true, maxLifetime: 120 },
  { upnp: 1, maxLifetime: 120 },
];
const WILLING: readonly NetworkSpec[] = [{ nat: HOME, gateway: GATEWAYS[0] }];

const EVERY_DAY = ofTypes(['dialed', 'time.passed', 'server.lost', 'server.returned', 'listener.ended', 'closed']);
const RARITIES = [
  ...ofTypes(['dialed', 'time.passed', 'udp.blocked', 'server.lost', 'server.returned']),
  ...RARE_EVENTS,
];
const AT_GATEWAYS = ofTypes([
  'dialed',
  'time.passed',
  'router.rebooted',
  'roamed',
  'udp.blocked',
  'udp.unblocked',
  'listener.ended',
  'listener.returned',
]);
const FAULTS = [
  ...ofTypes(['dialed', 'time.passed', 'udp.blocked', 'server.lost', 'listener.ended', 'listener.returned']),
  ...actorFaults([
    ...['signal', 'session', 'gather', 'map', 'punch', 'fallback', 'watch', 'hedge', 'recover', 'rendezvous'],
    ...['claim', 'race', 'note', 'renew', 'release'],
  ]),
];
