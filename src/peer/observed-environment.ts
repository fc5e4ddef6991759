import type { Environment } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import type { Inspect } from '../machines/inspect.ts';
import { observedNetwork } from './observed-network.ts';
import { observedSignaling } from './observed-signaling.ts';
import type { PeerObserver } from './peer-observer.ts';

/** The same world, with an eye on what is logged, signalled, sent and received. */
export function observedEnvironment(env: Environment, observer: PeerObserver): Environment {
  return {
    ...env,
    log: bothLogs(env.log, observer.log),
    network: observer.packet === undefined ? env.network : observedNetwork(env.network, env.clock, observer),
    signaling: observer.signal === undefined ? env.signaling : (url) => observedSignaling(env.signaling(url), observer),
  };
}

/** Tells charts to both. */
export function bothInspect(first: Inspect | undefined, second: PeerObserver['inspect']): Inspect | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const tellFirst = typeof first === 'function' ? first : first.next?.bind(first);
  return (event) => {
    tellFirst?.(event);
    second(event);
  };
}

function bothLogs(first: Log, second: Log | undefined): Log {
  if (second === undefined) return first;
  return (event, fields) => {
    first(event, fields);
    second(event, fields);
  };
}
