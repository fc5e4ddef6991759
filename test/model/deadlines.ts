import {
  defaultFlow,
  defineFlow,
  defineStrategy,
  type Flow,
  interfaces,
  race,
  relay,
  retry,
  type StrategyInput,
  type StrategyResult,
  stun,
  turn,
} from '../../src/index.ts';
import {
  createTraversalModel,
  type Invariant,
  invariants,
  type ModelEvent,
  type ModelStep,
  type Moment,
  type SimulatorDriverOptions,
  simulatorDriver,
} from '../../src/testing/index.ts';
import type { Comeback } from './comebacks.ts';
import { flows } from './expedition.ts';
import { HOTELS, LINUX } from './places.ts';

/**
 * The model leaves open how soon a pair comes to what it must come to, and in which order strategies go. Here both are known, and must
 * be so.
 */
export function deadlines(): readonly Comeback[] {
  return [
    hurried({
      title: 'a dial whose listener ends says so at once',
      flow: flows['direct-only'],
      sites: HOTELS,
      steps: [step('dialed', 300), step('listener.ended', 10_000), TIME],
      must: ({ dialer }) => dialer.sight === 'failed' && dialer.since < 4_000,
    }),
    hurried({
      title: 'a connection whose listener is known to have ended is not waited for',
      flow: flows['relay-only'],
      sites: LINUX,
      steps: [...UP, step('listener.ended', 30_000), TIME],
      must: ({ at, dialer }) => dialer.sight === 'failed' && at - dialer.since > 20_000,
    }),
    hurried({
      title: 'a relayed connection punches again',
      flow: late(),
      sites: LINUX,
      steps: [...UP, step('time.passed', 60_000), TIME],
      must: bothAre('direct'),
    }),
    hurried({
      title: 'a relay is asked for again while no path stands',
      flow: defineFlow({ ...defaultFlow.spec, fallback: turn(), policy: 'relay-only' }),
      sites: { ...LINUX, turn: true },
      steps: [...UP, step('server.lost', 60_000), step('server.returned', 40_000), TIME],
      must: bothAre('relayed'),
    }),
    hurried({
      title: 'a new generation of the side that has roamed is joined at once',
      flow: flows.default,
      sites: LINUX,
      steps: [...UP, { event: { type: 'roamed', side: 'dialer' }, pause: 60_000 }, TIME],
      must: (seen) => bothAre('direct')(seen) && seen.dialer.since < 28_000,
    }),
    hurried({
      title: 'what goes out on all paths goes out on one again when it is heard',
      flow: flows.default,
      sites: LINUX,
      steps: [...UP, step('udp.blocked', 8_000), step('udp.unblocked', 60_000), step('time.passed', 60_000), TIME],
      must: (seen) => bothAre('direct')(seen) && (seen.dialer.sent ?? 0) < 750,
    }),
    inTurn(),
  ];
}

interface Hurried {
  readonly title: string;
  readonly flow: Flow;
  readonly sites: SimulatorDriverOptions;
  readonly steps: readonly ModelStep[];
  /** At the end of the path. */
  readonly must: (observation: Moment['observation']) => boolean;
}

function hurried({ title, flow, sites, steps, must }: Hurried): Comeback {
  const description = steps.map(({ event }) => event.type).join(', ');
  const length = steps.reduce((sum, { pause }) => sum + pause, 0);
  const inTime: Invariant = {
    name: 'in time',
    check: ({ atRest, observation }) => {
      const { at, dialer, listener } = observation;
      if (!atRest || at < length || must(observation)) return undefined;
      const seen = `since ${dialer.since} ms, with ${dialer.sent} datagrams sent`;
      return `at ${at} ms the dialer is ${dialer.sight} ${seen}, the listener ${listener.sight}`;
    },
  };
  const model = createTraversalModel(flow, simulatorDriver(sites));
  return { title, model, paths: [{ description, steps }], invariants: [...invariants, inTime] };
}

function bothAre(sight: 'direct' | 'relayed'): Hurried['must'] {
  return ({ dialer, listener }) => dialer.sight === sight && listener.sight === sight;
}

/** Comes to nothing in its first round. */
function late(): Flow {
  const punch = direct('late', async ({ env }) =>
    env.clock.now() < LATE ? FAILED : { ok: true, path: await env.checks() },
  );
  return defineFlow({ discover: [interfaces(), stun()], punch, fallback: relay() });
}

/** In a race that is run again, the second waits for the first again. */
function inTurn(): Comeback {
  const running = new Set<string>();
  let early: string | undefined;
  const first = direct('first', async ({ env, role }) => {
    if (env.clock.now() < LATE) return FAILED;
    running.add(role);
    try {
      return { ok: true, path: await env.checks() };
    } finally {
      running.delete(role);
    }
  });
  const second = direct('second', async ({ role }) => {
    if (running.has(role)) early = role;
    return FAILED;
  });
  const punch = retry(race([first, second], { stagger: 10_000 }), { times: 3, backoff: LATE });
  const flow = defineFlow({ discover: [interfaces(), stun()], punch, fallback: relay() });
  const inOrder: Invariant = {
    name: 'in turn',
    check: () => (early === undefined ? undefined : `the second of the ${early} has begun beside the first`),
  };
  const made = hurried({
    title: 'in a race that is run again',
    flow,
    sites: LINUX,
    steps: [...UP, step('time.passed', 60_000), TIME],
    must: bothAre('direct'),
  });
  return { ...made, invariants: [...made.invariants, inOrder] };
}

type Run = (input: StrategyInput<'direct'>) => Promise<StrategyResult<'direct'>>;

function direct(name: string, run: Run) {
  return defineStrategy({ name, gives: 'direct', bounds: { time: 20_000, packets: 0, sockets: 0 }, run });
}

const FAILED = { ok: false, reason: 'too early' } as const;
/** ms. */
const LATE = 4_000;

function step(type: Exclude<ModelEvent['type'], 'roamed' | 'nat.rebound'>, pause = 0): ModelStep {
  return { event: { type } as ModelEvent, pause };
}

const TIME = step('time.passed');
const UP: readonly ModelStep[] = [step('dialed'), TIME];
