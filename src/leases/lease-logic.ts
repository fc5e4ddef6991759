import { fromCallback } from 'xstate';
import { bindStrategies, type ComposedMachine } from '../flows/index.ts';
import { type LeaseActorInput, type LeaseEvent, leaseMachine, type NoteInput } from '../machines/lease.ts';
import type { LeaseRuntime, SendFact } from './lease-runtime.ts';

export type LeaseLogic = ReturnType<typeof leaseLogic>;

/** The lease chart with its actors bound to runtimes by lease id, and `map` as its race: made once, used for all leases. */
export function leaseLogic(map: ComposedMachine<'mapping'>, runtimes: ReadonlyMap<string, LeaseRuntime>) {
  function runtimeOf(id: string): LeaseRuntime {
    const runtime = runtimes.get(id);
    if (runtime === undefined) throw new Error(`no lease ${id}`);
    return runtime;
  }

  const actor = <Input extends LeaseActorInput>(
    run: (runtime: LeaseRuntime, send: SendFact, input: Input) => () => void,
  ) => fromCallback<LeaseEvent, Input>(({ input, sendBack }) => run(runtimeOf(input.id), sendBack, input));

  return leaseMachine.provide({
    actors: {
      claim: actor((runtime, send) => runtime.claim(send)),
      race: bindStrategies(map, {
        begin: (strategy, step, signal) => runtimeOf(step.id).host.begin(strategy, step, signal),
        end: (step, result) => runtimeOf(step.id).host.end(step, result),
      }),
      note: actor<NoteInput>((runtime, send, { outcome }) => runtime.note(outcome, send)),
      renew: actor((runtime, send) => runtime.renew(send)),
      release: actor((runtime, send) => runtime.release(send)),
    },
  });
}
