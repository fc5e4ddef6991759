import type { Flow } from '../../src/index.ts';
import {
  actorFaults,
  brokenStrategy,
  type ModelEvent,
  type SimulatorDriverOptions,
  type StrategyFault,
} from '../../src/testing/index.ts';
import { type Expedition, expedition, flows, ofTypes } from './expedition.ts';
import { HOTELS, IN_SEQUENCE, LINUX, WILLING } from './places.ts';

/** Each actor of the charts broken once, and each strategy in every way. */
export function brokenExpeditions(): readonly Expedition[] {
  return [
    ...[0, 2_000].map((pause) =>
      expedition(`broken actors, ${pause} ms`, flows.default, { a: WILLING, b: 'hotel-wifi' }, { events: ALL, pause }),
    ),
    expedition(
      'broken as it begins',
      flows.default,
      { a: WILLING, b: 'hotel-wifi' },
      {
        beginnings: ACTORS.map((fault) => [fault]),
        events: ofTypes(['dialed', 'time.passed']),
        longest: 2,
      },
    ),
    expedition('broken while it recovers', flows.default, LINUX, {
      beginnings: [CONNECTED],
      events: [...ofTypes(['server.lost', 'udp.blocked']), ...ofDialer(['punch', 'fallback', 'recover'])],
      longest: 3,
      pause: 45_000,
    }),
    expedition('broken beside a direct path', brokenStrategy(flows.default, 'relay', 'hangs'), LINUX, {
      beginnings: [CONNECTED],
      events: ofDialer(['fallback']),
      longest: 1,
    }),
    expedition(
      'relayed by the other side alone',
      brokenStrategy(flows.default, 'relay', 'fails'),
      { ...HOTELS, turn: true },
      { beginnings: [ofDialer(['fallback'])], events: ofTypes(['dialed', 'time.passed']), longest: 2 },
    ),
    ...flows.default.strategies.flatMap(({ name }) => FAULTS.map((fault) => brokenFlow(flows.default, name, fault))),
    ...FAULTS.map((fault) => brokenFlow(brokenStrategy(flows.default, 'relay', 'throws'), 'turn', fault)),
    expedition(
      'a late check',
      brokenStrategy(brokenStrategy(flows.default, 'relay', 'hangs'), 'tcp-simultaneous-open', 'fails'),
      LINUX,
      {
        events: [{ type: 'dialed' }, { type: 'actor.broke', side: 'dialer', actor: 'checks' }, { type: 'time.passed' }],
        longest: 3,
        relay: false,
      },
    ),
  ];
}

/** Where the strategy comes to its turn; long enough for all that is bounded to end, as what hangs has to be ended. */
function brokenFlow(flow: Flow, name: string, fault: StrategyFault): Expedition {
  const { gives } = flow.strategies.find((strategy) => strategy.name === name)!;
  return expedition(`${name} ${fault}`, brokenStrategy(flow, name, fault), PLACES[name] ?? LINUX, {
    events: ofTypes(['dialed', 'time.passed', 'aborted']),
    rest: fault === 'hangs' ? 620_000 : undefined,
    relay: gives === 'relayed' ? false : undefined,
    direct: gives !== 'direct' && gives !== 'candidates',
  });
}

const FAULTS: readonly StrategyFault[] = ['fails', 'throws', 'hangs'];

/** Where these come to their turn; checks and TCP do so everywhere, and last where nothing helps. */
const PLACES: Readonly<Record<string, SimulatorDriverOptions>> = {
  predict: { a: 'linux', b: IN_SEQUENCE },
  spray: { a: 'linux', b: 'hotel-wifi' },
  checks: HOTELS,
  'tcp-simultaneous-open': HOTELS,
};

const CONNECTED = ofTypes(['dialed', 'time.passed']);

const ACTORS = actorFaults([
  ...['signal', 'session', 'gather', 'map', 'punch', 'fallback', 'watch', 'hedge', 'recover', 'rendezvous'],
  ...['claim', 'race', 'note', 'renew', 'release'],
]);

const ALL: readonly ModelEvent[] = [
  ...ofTypes(['dialed', 'time.passed', 'udp.blocked', 'server.lost', 'listener.ended', 'listener.returned']),
  ...ACTORS,
];

function ofDialer(actors: readonly string[]): readonly ModelEvent[] {
  return actorFaults(actors).filter((event) => 'side' in event && event.side === 'dialer');
}
