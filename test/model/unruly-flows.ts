import { NEVER } from 'rxjs';
import { setup } from 'xstate';
import type { Step, StrategyStep } from '../../src/flows/step.ts';
import type { Flow, Path, StrategyInput, StrategyResult } from '../../src/index.ts';
import {
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  evidence,
  fallback,
  interfaces,
  predict,
  race,
  relay,
  retry,
  sequence,
  spray,
  stun,
  tcpSimultaneousOpen,
  when,
  within,
} from '../../src/index.ts';
import type { NatSpec } from '../../src/sim.ts';
import {
  createTraversalModel,
  type ModelEvent,
  type Prospects,
  type SimulatorDriverOptions,
  simulatorDriver,
  type TraversalModelOptions,
} from '../../src/testing/index.ts';
import { type Expedition, expedition, ofTypes } from './expedition.ts';

/**
 * Flows of strategies that misbehave, in all combinators: whatever they do, the pair comes to what its place allows, and nothing is left
 * of them. And places in which each shipped strategy is the only one that can win.
 */
export function unrulyExpeditions(): readonly Expedition[] {
  const calm = ofTypes(['dialed', 'time.passed', 'closed', 'aborted']);
  const stormy = ofTypes(['dialed', 'time.passed', 'udp.blocked', 'udp.unblocked', 'nat.rebound', 'listener.ended']);
  const flow = unruly();
  const LINUX = { a: 'linux', b: 'linux' } as const;
  return [
    expedition('unruly strategies', flow, LINUX, { events: calm }),
    expedition('unruly strategies, unruly days', flow, LINUX, { events: stormy, pause: 1_000 }),
    foreseen('a path that is taken back', fickle(), LINUX, { events: calm, prospects: NO_CHANCE }),
    alone('checks', checks(), LINUX, calm),
    alone('predict', predict(), { a: 'linux', b: IN_SEQUENCE }, calm),
    alone('spray', spray(), { a: 'linux', b: 'hotel-wifi' }, calm),
    alone('spray after another', sequence([yielding(), spray()]), { a: 'linux', b: 'hotel-wifi' }, calm),
    alone('tcp-simultaneous-open', tcpSimultaneousOpen(), LINUX, calm),
  ];
}

/** What is tried where only one strategy can win; by luck, but with the same seed always. */
function alone(
  name: string,
  punch: Step<'direct'>,
  sites: SimulatorDriverOptions,
  events: readonly ModelEvent[],
): Expedition {
  const flow = defineFlow({ ...defaultFlow.spec, punch });
  return foreseen(`nothing but ${name}`, flow, sites, { events, prospects: SURE });
}

/** Where what comes of a pair is known better than by the oracle. */
function foreseen(
  title: string,
  flow: Flow,
  sites: SimulatorDriverOptions,
  options: Pick<TraversalModelOptions, 'events' | 'prospects'>,
): Expedition {
  const model = createTraversalModel(flow, simulatorDriver(sites), options);
  return { title, model, paths: model.getShortestPaths() };
}

const SURE: Prospects = { direct: 'sure', withoutUdp: 'sure' };
const NO_CHANCE: Prospects = { direct: 'impossible', withoutUdp: 'impossible' };

const IN_SEQUENCE: NatSpec = {
  mapping: 'address-and-port-dependent',
  filtering: 'address-and-port-dependent',
  portAllocation: { sequential: 1 },
};

/** All that is not `checks` and `relay` fails or hangs, each in a way of its own. */
function unruly() {
  return defineFlow({
    discover: [interfaces(), stun()],
    punch: sequence([
      within(400, silent()),
      race([silent(), restless(), ticking()], { within: 300 }),
      retry(race([failing(), careless(), hasty()], { stagger: 50 }), { times: 2, backoff: 100 }),
      babbling(),
      when(nothing, silent()),
      race([silent(), checks()], { stagger: 100 }),
    ]),
    fallback: sequence([refusing(), fallback(hanging(), relay(), { after: 200 })]),
  });
}

/** Its only direct path comes to nothing. */
function fickle() {
  return defineFlow({ discover: [interfaces(), stun()], punch: sequence([wavering(), failing()]), fallback: relay() });
}

const nothing = evidence('there is nothing to go by', () => false);

type Run = (input: StrategyInput<'direct'>) => Promise<StrategyResult<'direct'>>;

function direct(name: string, run: Run, { packets = 0, sockets = 0 } = {}): StrategyStep<'direct'> {
  return defineStrategy({ name, gives: 'direct', bounds: { time: LONGEST, packets, sockets }, run });
}

function fail(reason: string): StrategyResult<'direct'> {
  return { ok: false, reason };
}

/** Comes to no end until it is told to. */
function silent(): StrategyStep<'direct'> {
  return direct('silent', ({ env: { signal } }) => aborted(signal));
}

/** Has a timer at all times until it is told to end. */
function restless(): StrategyStep<'direct'> {
  return direct('restless', ({ env: { clock, signal } }) => {
    let timer = clock.setTimeout(() => {}, 0);
    const again = (): void => {
      timer = clock.setTimeout(again, 250);
    };
    again();
    signal.addEventListener('abort', () => clock.clearTimeout(timer), { once: true });
    return aborted(signal);
  });
}

/** A machine that never ends. */
function ticking(): StrategyStep<'direct'> {
  const machine = setup({
    types: { input: {} as StrategyInput<'direct'>, output: {} as StrategyResult<'direct'> },
  }).createMachine({
    initial: 'waiting',
    states: { waiting: { after: { 250: { target: 'waiting', reenter: true } } } },
    output: fail('the machine has ended'),
  });
  return defineStrategy({
    name: 'ticking',
    gives: 'direct',
    bounds: { time: LONGEST, packets: 0, sockets: 0 },
    machine,
  });
}

function failing(): StrategyStep<'direct'> {
  return direct('failing', async () => fail('it always does'));
}

/** Leaves its socket open. */
function careless(): StrategyStep<'direct'> {
  const run: Run = async ({ env }) => {
    await env.network.udp({ family: 4 });
    return fail('it left a socket open');
  };
  return direct('careless', run, { sockets: 1 });
}

/** Has ended before its socket is open. */
function hasty(): StrategyStep<'direct'> {
  const run: Run = async ({ env }) => {
    env.network.udp({ family: 4 }).catch((error) => env.log('hasty', { error: String(error) }));
    return fail('it did not wait for its socket');
  };
  return direct('hasty', run, { sockets: 1 });
}

/** Sends far more than it may. */
function babbling(): StrategyStep<'direct'> {
  const run: Run = async ({ env, local }) => {
    const socket = await env.network.udp({ family: 4 });
    const [to] = local.flatMap(({ endpoint }) => (endpoint.family === 4 ? [endpoint] : []));
    for (let i = 0; to !== undefined && i < 10_000; i++) socket.send(Uint8Array.of(i % 256), to);
    socket.close();
    return fail('it has said enough');
  };
  return direct('babbling', run, { packets: 10, sockets: 1 });
}

/** Agrees with the other side, and then gives up: its turn is over. */
function yielding(): StrategyStep<'direct'> {
  return defineStrategy({
    name: 'yielding',
    gives: 'direct',
    bounds: { time: 20_000, packets: 0, sockets: 0 },
    twoSided: { version: 1, vouched: true },
    async run({ env }) {
      await env.agree();
      return fail('it has agreed, which is all');
    },
  });
}

/** Takes a path that leads nowhere into the table, and then gives up. */
function wavering(): StrategyStep<'direct'> {
  return direct('wavering', async ({ env }) => {
    env.adopt(nowhere());
    return fail('it has changed its mind');
  });
}

function nowhere(): Path {
  const at = '192.0.2.1:9';
  return {
    info: { id: 'nowhere', kind: 'direct', transport: 'udp', local: at, remote: at, strategy: 'wavering' },
    send: () => true,
    datagrams$: NEVER,
    close: () => {},
  };
}

function refusing(): StrategyStep<'relayed'> {
  return defineStrategy({
    name: 'refusing',
    gives: 'relayed',
    bounds: { time: LONGEST, packets: 0, sockets: 0 },
    run: () => Promise.reject(new Error('there is no such relay')),
  });
}

function hanging(): StrategyStep<'relayed'> {
  return defineStrategy({
    name: 'hanging',
    gives: 'relayed',
    bounds: { time: LONGEST, packets: 0, sockets: 0 },
    run: ({ env: { signal } }) => aborted(signal),
  });
}

/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** ms: longer than any test. */
const LONGEST = 600_000;
