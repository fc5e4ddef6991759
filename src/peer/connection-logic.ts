import { fromCallback } from 'xstate';
import { asTraversalError } from '../core/errors.ts';
import { connectionMachine } from '../machines/connection.ts';
import type { ConnectionEvent } from '../machines/connection-events.ts';
import type { ConnectionActorInput } from '../machines/connection-setup.ts';
import type { ConnectionRuntime } from './runtime-contract.ts';

/**
 * The connection chart with its actors bound to runtimes by connection id: made once a peer, used for all its
 * connections.
 */
export function connectionLogic(runtimes: ReadonlyMap<string, ConnectionRuntime>) {
  const find = (id: string): ConnectionRuntime => {
    const runtime = runtimes.get(id);
    if (runtime === undefined) throw new Error(`no connection ${id}`);
    return runtime;
  };
  const actor = (run: (runtime: ConnectionRuntime, send: (event: ConnectionEvent) => void) => () => void) =>
    fromCallback<ConnectionEvent, ConnectionActorInput>(({ input, sendBack }) => run(find(input.id), sendBack));

  return connectionMachine.provide({
    actors: {
      signal: actor((runtime, send) => runtime.signal(send)),
      session: actor((runtime) => runtime.session()),
      gather: actor((runtime, send) => runtime.gather(send)),
      map: actor((runtime, send) => runtime.map(send)),
      punch: actor((runtime) => runtime.punch()),
      relay: actor((runtime) => runtime.relay()),
      watch: actor((runtime, send) => runtime.watch(send)),
      hedge: actor((runtime) => runtime.hedge()),
      recover: actor((runtime) => runtime.recover()),
    },
    actions: {
      usePath: ({ context, self }) => attempt(self, () => find(context.id).use(context.current)),
      punchAgain: ({ context, self }) => attempt(self, () => find(context.id).punchAgain()),
    },
  });
}

/** An action that threw would break the chart with its actors still running: the connection fails in order instead. */
function attempt(self: { send(event: ConnectionEvent): void }, act: () => void): void {
  try {
    act();
  } catch (error) {
    const { code, message } = asTraversalError(error, 'ERR_PROTOCOL');
    self.send({ type: 'session.failed', code, message });
  }
}
