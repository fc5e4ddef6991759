import type { Relay, RelayedSocket } from '../core/relay.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { StrategyRun } from './strategy-run.ts';

/**
 * The environment's relays, for one run. What they lend is given back at its end, unless it was offered to the other side. Their sockets
 * towards the servers are the peer's, since they may outlive the run, and what they send there is not counted.
 */
export function relaysOf({ env }: ConnectionServices, { signal }: StrategyRun): readonly Relay[] {
  return (env.relays ?? []).map((create) => {
    const relay = create(env);
    return {
      name: relay.name,
      transport: relay.transport,
      async allocate(options) {
        const socket = await relay.allocate({ ...options, network: env.network });
        const giveBack = (): void => {
          if (!offered.has(socket)) socket.close();
        };
        signal.addEventListener('abort', giveBack, { once: true });
        if (signal.aborted) giveBack();
        return socket;
      },
    };
  });
}

/** Tells the other side of an address at a relay and checks pairs with it: the id of the first path. Errors: those of `PathEnvironment.relayed`. */
export function offerRelayed(
  { relayed }: ConnectionServices,
  { strategy, signal }: StrategyRun,
  socket: RelayedSocket,
): Promise<string> {
  offered.add(socket);
  return relayed.offer(socket, strategy.name, signal);
}

/** Those that are a connection's. */
const offered = new WeakSet<RelayedSocket>();
