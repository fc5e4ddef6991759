import { catchError, EMPTY, filter, map, take } from 'rxjs';
import type { Clock } from '../../../src/core/clock.ts';
import { sameEndpoint } from '../../../src/core/endpoint.ts';
import type { Path } from '../../../src/core/path.ts';
import { pause } from '../../../src/core/pause.ts';
import type { PortMapperEnvironment } from '../../../src/core/port-mapper.ts';
import type { RelayedSocket, RelayFactory } from '../../../src/core/relay.ts';

/** A program that asks for addresses at a relay. */
export interface RelayUser {
  readonly environment: PortMapperEnvironment;
  readonly relay: RelayFactory;
}

export function allocate(
  { environment, relay }: RelayUser,
  signal: AbortSignal = new AbortController().signal,
): Promise<RelayedSocket> {
  return relay(environment).allocate({ network: environment.network, signal });
}

/** The two ends of one relayed path: addresses at a relay that have let each other in. `roundTrip`: in ms, at most. */
export async function relayedPaths(one: RelayUser, other: RelayUser, roundTrip = 500): Promise<readonly [Path, Path]> {
  const [a, b] = [await allocate(one), await allocate(other)];
  const { clock } = one.environment;
  await Promise.all([meet(a, b, roundTrip, clock), meet(b, a, roundTrip, clock)]);
  // What is still on its way is nobody's.
  await pause(clock, roundTrip);
  return [pathTo(a, b), pathTo(b, a)];
}

/** Sends until something has come through: a permission that is on its way lets nobody in. */
async function meet(from: RelayedSocket, to: RelayedSocket, roundTrip: number, clock: Clock): Promise<void> {
  let heard = false;
  to.datagrams$.pipe(take(1)).subscribe(() => {
    heard = true;
  });
  while (!heard) {
    from.send(Uint8Array.of(0), to.local);
    await pause(clock, roundTrip / 5);
  }
}

function pathTo(from: RelayedSocket, to: RelayedSocket): Path {
  return {
    info: {
      id: `${from.local.port}>${to.local.port}`,
      kind: 'relayed',
      transport: from.relay.transport,
      local: `${from.local.port}`,
      remote: `${to.local.port}`,
      strategy: 'turn',
    },
    send: (bytes) => from.send(bytes, to.local),
    datagrams$: from.datagrams$.pipe(
      filter((datagram) => sameEndpoint(datagram.from, to.local)),
      map(({ data }) => data),
      catchError(() => EMPTY),
    ),
    close: () => from.close(),
  };
}
