import { brokenStrategy, type ModelEvent, type Side } from '../../src/testing/index.ts';
import { type Expedition, expedition, flows, ofTypes } from './expedition.ts';
import { LINUX, mapping, WILLING } from './places.ts';

/** What becomes of mappings: gateways that forget, networks that change, programs that end without a word. */
export function gatewayExpeditions(): readonly Expedition[] {
  return [
    ...Object.entries(GATEWAYS).map(([title, site]) =>
      expedition(title, flows.default, { a: site, b: site }, { events: AT_GATEWAYS, rest: 130_000 }),
    ),
    expedition(
      'a gateway that restarts when it was just asked',
      flows.default,
      { a: 'linux', b: WILLING },
      {
        beginnings: [[{ type: 'listener.ended' }, { type: 'listener.returned' }]],
        events: [{ type: 'router.rebooted', side: 'listener' }],
        longest: 1,
        pause: [300, 600, 4_000],
        last: 4_000,
      },
    ),
    expedition(
      'roaming at once',
      flows.default,
      { a: WILLING, b: 'linux' },
      { beginnings: [[{ type: 'dialed' }]], events: [ROAMED], longest: 3, pause: 2_000 },
    ),
    expedition('roaming while nobody maps', flows.default, LINUX, {
      beginnings: [[{ type: 'dialed' }]],
      events: [ROAMED],
      longest: 1,
      pause: every(500, 9_500, 12_000),
    }),
    expedition(
      'a listener that is started again',
      flows.default,
      { a: 'linux', b: WILLING },
      {
        beginnings: [[{ type: 'listener.ended' }]],
        events: ofTypes(['listener.returned']),
        longest: 1,
        pause: 1_000,
      },
    ),
    expedition(
      'a claim that is broken',
      flows.default,
      { a: 'linux', b: WILLING },
      {
        beginnings: [[broken('listener', 'claim'), { type: 'listener.ended' }]],
        events: ofTypes(['listener.returned']),
        longest: 1,
        pause: 1_000,
      },
    ),
    expedition(
      'the protocol of before fails',
      flows.default,
      { a: mapping({ natPmp: true }), b: 'linux' },
      {
        beginnings: [[{ type: 'dialed' }, { type: 'udp.blocked' }], [{ type: 'dialed' }]],
        events: [broken('dialer', 'nat-pmp'), broken('dialer', 'renew')],
        longest: 1,
        last: 200_000,
      },
    ),
    expedition(
      'nothing but UPnP',
      brokenStrategy(brokenStrategy(flows.default, 'pcp', 'fails'), 'nat-pmp', 'fails'),
      { a: WILLING, b: 'linux' },
      { events: ofTypes(['dialed', 'time.passed']) },
    ),
  ];
}

const GATEWAYS = {
  'all protocols': WILLING,
  PCP: mapping({ pcp: true }),
  'NAT-PMP': mapping({ natPmp: true }),
  UPnP: mapping({ upnp: 1 }),
};

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

const ROAMED: ModelEvent = { type: 'roamed', side: 'dialer' };

function broken(side: Side, actor: string): ModelEvent {
  return { type: 'actor.broke', side, actor };
}

/** From one number to the other, in steps. */
function every(step: number, from: number, to: number): readonly number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);
}
