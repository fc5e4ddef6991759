import { brokenStrategy, type ModelEvent, RARE_EVENTS } from '../../src/testing/index.ts';
import { brokenExpeditions } from './broken-parts.ts';
import { type Expedition, expedition, flows, ofTypes } from './expedition.ts';
import { gatewayExpeditions } from './gateways.ts';
import { HOTELS, IN_SEQUENCE, LINUX } from './places.ts';
import { scoredExpeditions } from './scored.ts';

/** All that is done to reach every part of the charts of the shipped flows. */
export function expeditions(): readonly Expedition[] {
  return [
    expedition('default', flows.default, LINUX),
    expedition('default at hotels', flows.default, HOTELS, { pause: 2_500 }),
    expedition(
      'default, rarities',
      flows.default,
      { a: 'linux', b: 'home-router' },
      { events: RARITIES, pause: 1_000 },
    ),
    expedition('default, left alone', flows.default, HOTELS, { events: EVERY_DAY, rest: 45_000 }),
    expedition('direct-only', flows['direct-only'], { a: 'linux', b: 'home-router' }),
    expedition('direct-only at hotels', flows['direct-only'], HOTELS),
    expedition('relay-only', flows['relay-only'], LINUX),
    ...places(),
    ...longAbsences(),
    ...gatewayExpeditions(),
    ...brokenExpeditions(),
    ...scoredExpeditions(),
  ];
}

/** Where strategies have their day that are not needed elsewhere. */
function places(): readonly Expedition[] {
  const events = ofTypes(['dialed', 'time.passed', 'closed']);
  const noRelay = brokenStrategy(flows.default, 'relay', 'fails');
  return [
    expedition('ports in sequence', flows.default, { a: 'linux', b: IN_SEQUENCE }, { events }),
    expedition('ports at random', flows.default, { a: 'linux', b: 'hotel-wifi' }, { events }),
    expedition('relayed by TURN', noRelay, { ...HOTELS, turn: true }, { events }),
    expedition('a web-only office', flows.default, { a: 'corporate-firewall', b: 'linux' }, { events }),
  ];
}

/** What is noticed only after a while: servers that are silent, paths without consent. */
function longAbsences(): readonly Expedition[] {
  return [
    expedition('a silent server', flows.default, LINUX, {
      events: ofTypes([
        'dialed',
        'time.passed',
        'server.lost',
        'server.returned',
        'listener.ended',
        'listener.returned',
      ]),
      longest: 4,
      pause: 40_000,
    }),
    expedition('a listener that was replaced', flows.default, LINUX, {
      events: ofTypes(['listener.replaced', 'server.lost', 'server.returned']),
      longest: 3,
      pause: 40_000,
    }),
    expedition('a black hole', brokenStrategy(flows['direct-only'], 'tcp-simultaneous-open', 'fails'), LINUX, {
      beginnings: [CONNECTED],
      events: ofTypes(['udp.blocked', 'udp.unblocked', 'session.broke', 'closed']),
      longest: 2,
      pause: 40_000,
    }),
    expedition(
      'lost before it is used',
      flows['direct-only'],
      { a: 'public', b: 'linux' },
      {
        beginnings: [[{ type: 'udp.blocked' }, { type: 'dialed' }]],
        events: ofTypes(['listener.ended']),
        longest: 1,
        pause: Array.from({ length: 50 }, (_, i) => 20 * i),
      },
    ),
  ];
}

/** What makes a connection. */
const CONNECTED: readonly ModelEvent[] = [{ type: 'dialed' }, { type: 'time.passed' }];

const EVERY_DAY = ofTypes(['dialed', 'time.passed', 'server.lost', 'server.returned', 'listener.ended', 'closed']);
const RARITIES: readonly ModelEvent[] = [
  ...ofTypes(['dialed', 'time.passed', 'udp.blocked', 'server.lost', 'server.returned']),
  ...RARE_EVENTS,
];
