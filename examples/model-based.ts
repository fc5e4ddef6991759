/**
 * A flow of one's own, tested by the model: random sequences of what can happen to a pair, each on a simulated internet. The strategy in it has a
 * fault that neither `lint` nor a plain dial shows. It is found, shrunk to the fewest events, and gone once the strategy is mended.
 *
 * Run: `npx tsx examples/model-based.ts`
 */
import { firstValueFrom, type Observable } from 'rxjs';
import {
  type Clock,
  checks,
  defineFlow,
  defineStrategy,
  type Endpoint,
  type Flow,
  interfaces,
  race,
  relay,
  stun,
  type TimerHandle,
} from 'sallyport';
import { createTraversalModel, lintFlow, ModelFailure, propertyTest, simulatorDriver } from 'sallyport/testing';

type Wait = (heard$: Observable<Endpoint>, stop: () => void) => Promise<Endpoint>;

/** As it was: it stops knocking when somebody answers. When the run is not wanted any more, `heard$` completes, and nobody stops. */
const forgetful: Wait = async (heard$, stop) => {
  const from = await firstValueFrom(heard$);
  stop();
  return from;
};

const mended: Wait = async (heard$, stop) => {
  try {
    return await firstValueFrom(heard$);
  } finally {
    stop();
  }
};

/** Knocks at all addresses of the other side, from the peer's own socket, until one answers. */
function knocking(wait: Wait) {
  return defineStrategy({
    name: 'knocking',
    gives: 'direct',
    bounds: { time: 10_000, packets: 500, sockets: 0 },
    async run({ env, remote }) {
      const prober = env.prober();
      const stop = every(200, env.clock, () => {
        for (const { endpoint } of remote) prober.send(endpoint);
      });
      return { ok: true, path: await env.validate({ remote: await wait(prober.heard$, stop) }) };
    },
  });
}

/** Gives what ends it. */
function every(ms: number, clock: Clock, task: () => void): () => void {
  let timer: TimerHandle;
  const again = (): void => {
    task();
    timer = clock.setTimeout(again, ms);
  };
  again();
  return () => clock.clearTimeout(timer);
}

/** Tells whether nothing was found. */
async function isSound(title: string, wait: Wait): Promise<boolean> {
  const punch = race([checks(), knocking(wait)], { stagger: 300 });
  const flow: Flow = defineFlow({ discover: [interfaces(), stun()], punch, fallback: relay() });
  console.log(`${title}: ${(await lintFlow(flow)).length} findings of lint`);
  const model = createTraversalModel(flow, simulatorDriver({ a: 'linux', b: 'linux' }));
  try {
    const { runs } = await propertyTest({ model, runs: 30, seed: 7 });
    console.log(`${title}: ${runs} sequences without a failure`);
    return true;
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error;
    console.log(`${title}: ${error.message}\n`);
    return false;
  }
}

const wasSound = await isSound('as it was', forgetful);
const isSoundNow = await isSound('mended', mended);
if (wasSound || !isSoundNow) process.exitCode = 1;
