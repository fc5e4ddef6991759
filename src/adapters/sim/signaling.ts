import type { Clock } from '../../core/clock.ts';
import { TraversalError } from '../../core/errors.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { Network } from '../../core/network.ts';
import type { Random } from '../../core/random.ts';
import type { Signaling } from '../../core/signaling.ts';
import type { OpenCarrierSocket } from '../../streams/carrier-connection.ts';
import { reconnectingSignaling } from '../../streams/reconnecting-signaling.ts';
import { openSimWebSocket } from './signaling-socket.ts';

export interface SimSignalingOptions {
  /** Of the host that the program runs on. */
  readonly network: Network;
  /** `ws://name:port` of a host with a rendezvous service. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
}

/**
 * Signalling through a simulated rendezvous service, as `websocketSignaling` goes through a real one: over TCP, after one more round
 * trip for the upgrade. Connects at once and, until closed, again after every loss (0.5 s .. 30 s apart), registering anew; a
 * silent server is noticed within 35 s. Offline codes: `ERR_SERVER_UNREACHABLE`, `ERR_SERVER_REFUSED` (full), and for good
 * `ERR_VERSION`. Throws `ERR_USAGE` for what is no such URL.
 */
export function simSignaling({ network, url, clock, random, log = silentLog }: SimSignalingOptions): Signaling {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'ws:') {
    throw new TraversalError('ERR_USAGE', `a simulated rendezvous server is given as ws://host:port, not ${url}`);
  }
  const open: OpenCarrierSocket = (events) => openSimWebSocket({ network, url: parsed, clock }, events);
  return reconnectingSignaling({ url, clock, random, log, open });
}
