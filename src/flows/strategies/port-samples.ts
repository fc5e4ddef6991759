import { catchError, EMPTY, firstValueFrom, fromEvent, map, takeUntil } from 'rxjs';
import type { Endpoint } from '../../core/endpoint.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { PathEnvironment } from '../../core/strategy.ts';
import { resolveStunServers } from '../../core/stun-servers.ts';
import { createPacketRouter } from '../../streams/packet-router.ts';
import { stunTransaction } from '../../streams/stun-transaction.ts';

/** Packets that the sample of one socket takes at most. */
export const SAMPLE_PACKETS = 4;
/** ms that it takes at most. */
export const SAMPLE_TIME = 1500;

/**
 * Where one STUN server sees each of the sockets, which have not sent before, so that the NAT makes their mappings now and in their order.
 * `undefined` for those that got no answer. Errors: what the run was aborted with.
 */
export async function samplePorts(
  env: PathEnvironment,
  sockets: readonly DatagramSocket[],
): Promise<readonly (Endpoint | undefined)[]> {
  const [server] = await resolveStunServers(env.stun, 4, env);
  env.signal.throwIfAborted();
  if (server === undefined) return sockets.map(() => undefined);
  return Promise.all(sockets.map((socket) => sample(env, socket, server)));
}

async function sample(env: PathEnvironment, socket: DatagramSocket, server: Endpoint): Promise<Endpoint | undefined> {
  const { clock, random, signal } = env;
  const router = createPacketRouter(socket);
  const schedule = { rto: SAMPLE_TIME / 15, rc: SAMPLE_PACKETS, rm: 8 };
  const mapped$ = stunTransaction({ router, server, clock, random, ...schedule }).pipe(
    map(({ mapped }) => mapped),
    catchError(() => EMPTY),
    takeUntil(fromEvent(signal, 'abort')),
  );
  return firstValueFrom(mapped$, { defaultValue: undefined });
}
