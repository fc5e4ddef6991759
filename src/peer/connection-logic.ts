import { type AnyActorLogic, fromCallback } from 'xstate';
import { asTraversalError } from '../core/errors.ts';
import { randomInteger } from '../core/random.ts';
import { bindStrategies, type Flow, isMachine, type StrategyHost } from '../flows/index.ts';
import type { ConnectionMachine } from '../machines/connection.ts';
import type { ConnectionEvent } from '../machines/connection-events.ts';
import type { ConnectionActorInput } from '../machines/connection-setup.ts';
import type { StrategiesInput } from '../machines/strategies-slot.ts';
import type { ConnectionRuntime, Slot } from './runtime-contract.ts';

/**
 * The connection chart of a flow with its actors bound to runtimes by connection id, and its strategies to their host: made once a peer,
 * used for all its connections.
 */
export function connectionLogic(
  flow: Flow,
  runtimes: ReadonlyMap<string, ConnectionRuntime>,
  host: StrategyHost,
): ConnectionMachine {
  const find = (id: string): ConnectionRuntime => {
    const runtime = runtimes.get(id);
    if (runtime === undefined) throw new Error(`no connection ${id}`);
    return runtime;
  };
  const actor = (run: (runtime: ConnectionRuntime, send: (event: ConnectionEvent) => void) => () => void) =>
    fromCallback<ConnectionEvent, ConnectionActorInput>(({ input, sendBack }) => run(find(input.id), sendBack));
  const strategies = (slot: Slot, logic: AnyActorLogic): AnyActorLogic =>
    informed(slot, isMachine(logic) ? bindStrategies(logic, host) : logic, find);
  const { punch, fallback } = flow.machine.implementations.actors as Readonly<Record<Slot, AnyActorLogic>>;

  return flow.machine.provide({
    actors: {
      signal: actor((runtime, send) => runtime.signal(send)),
      session: actor((runtime) => runtime.session()),
      gather: actor((runtime, send) => runtime.gather(send)),
      map: actor((runtime, send) => runtime.map(send)),
      punch: strategies('punch', punch),
      fallback: strategies('fallback', fallback),
      watch: actor((runtime, send) => runtime.watch(send)),
      hedge: actor((runtime) => runtime.hedge()),
      recover: fromCallback<ConnectionEvent, ConnectionActorInput>(({ input, receive }) =>
        find(input.id).recover(receive),
      ),
    },
    actions: {
      usePath: ({ context, self }) => attempt(self, () => find(context.id).use(context.current)),
      punchAgain: ({ context, self }) => attempt(self, () => find(context.id).punchAgain()),
      noteAttempts: ({ context, event }) => {
        const { slots } = find(context.id);
        if (event.type === 'xstate.done.actor.punch') slots.leave('punch', event.output);
        if (event.type === 'xstate.done.actor.fallback') slots.leave('fallback', event.output);
        if (event.type === 'xstate.error.actor.punch') slots.abandon('punch', event.error);
        if (event.type === 'xstate.error.actor.fallback') slots.abandon('fallback', event.error);
      },
    },
  });
}

/**
 * The same logic, started with the facts as they are then and with what scores advise, and told to the connection. It inherits from the
 * logic, so that whoever looks at the actor, as inspectors do, still sees the machine that it runs.
 */
function informed(slot: Slot, logic: AnyActorLogic, find: (id: string) => ConnectionRuntime): AnyActorLogic {
  const own: Pick<AnyActorLogic, 'getInitialSnapshot'> = {
    getInitialSnapshot(scope, input: StrategiesInput) {
      const runtime = find(input.id);
      runtime.slots.follow(slot, scope.self);
      const { facts, scoring, env } = runtime.services;
      const advice = slot === 'punch' ? scoring?.advise(facts) : undefined;
      const jitter = randomInteger(env.random, 1001) / 1000;
      return logic.getInitialSnapshot(scope, { id: input.id, facts, jitter, ...advice });
    },
  };
  return Object.assign(Object.create(logic), own);
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
