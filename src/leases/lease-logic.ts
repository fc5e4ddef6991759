import { fromCallback } from 'xstate';
import { type LeaseEvent, type LeaseInput, leaseMachine } from '../machines/lease.ts';
import type { LeaseRuntime, SendFact } from './lease-runtime.ts';

export type LeaseLogic = ReturnType<typeof leaseLogic>;

/** The lease chart with its actors bound to runtimes by lease id: made once, used for all leases. */
export function leaseLogic(runtimes: ReadonlyMap<string, LeaseRuntime>) {
  const actor = (run: (runtime: LeaseRuntime, send: SendFact) => () => void) =>
    fromCallback<LeaseEvent, LeaseInput>(({ input: { id }, sendBack }) => {
      const runtime = runtimes.get(id);
      if (runtime === undefined) throw new Error(`no lease ${id}`);
      return run(runtime, sendBack);
    });

  return leaseMachine.provide({
    actors: {
      race: actor((runtime, send) => runtime.race(send)),
      renew: actor((runtime, send) => runtime.renew(send)),
      release: actor((runtime, send) => runtime.release(send)),
    },
  });
}
