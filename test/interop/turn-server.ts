import { onTestFinished } from 'vitest';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import type { TimerHandle } from '../../src/core/clock.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { ByteSocket, DatagramSocket } from '../../src/core/network.ts';
import {
  createTurnServer,
  createTurnStreamDecoder,
  type FiveTuple,
  fiveTupleKey,
  type TurnServer,
  type TurnServerAction,
  type TurnServerOptions,
} from '../../src/protocol/turn/index.ts';

const network = nodeNetwork();
const clock = systemClock();

export const LOOPBACK = '127.0.0.1';
export const REALM = 'example.org';
export const ALICE = { username: 'alice', password: 'secret' };

/** A TURN server engine of ours on loopback, over UDP and TCP of one port, until the test is over. It relays to loopback. */
export async function serveTurn(
  options: Partial<TurnServerOptions> = {},
): Promise<{ engine: TurnServer; at: Endpoint }> {
  const udp = await network.udp({ family: 4, address: LOOPBACK });
  const tcp = await network.listen({ address: LOOPBACK, port: udp.local.port });
  const engine = createTurnServer({
    realm: REALM,
    users: { [ALICE.username]: ALICE.password },
    relayAddresses: [LOOPBACK],
    allowedPeers: ['loopback'],
    random: cryptoRandom(),
    ...options,
  });
  const streams = new Map<string, ByteSocket>();
  const relays = new Map<string, DatagramSocket>();
  let timer: TimerHandle;

  const perform = (actions: readonly TurnServerAction[]): void => {
    for (const action of actions) {
      if (action.type === 'send') send(action.to, action.bytes);
      else if (action.type === 'relay') relays.get(formatEndpoint(action.from))?.send(action.data, action.to);
      else if (action.type === 'bind') void bind(action.relayed);
      else release(action.relayed);
    }
    clock.clearTimeout(timer);
    const { wakeAt } = engine;
    if (wakeAt !== undefined) {
      timer = clock.setTimeout(() => perform(engine.expire(clock.now())), wakeAt - clock.now());
    }
  };

  const send = (to: FiveTuple, bytes: Uint8Array): void => {
    if (to.transport === 'udp') udp.send(bytes, to.client);
    else
      streams
        .get(fiveTupleKey(to))
        ?.write(bytes)
        .catch(() => {}); // its reader learns that it is closed
  };

  const bind = async (relayed: Endpoint): Promise<void> => {
    const socket = await network.udp({ family: 4, address: LOOPBACK, port: relayed.port }).catch(() => undefined);
    if (socket === undefined) {
      perform(engine.unbound(relayed, clock.now()));
      return;
    }
    relays.set(formatEndpoint(relayed), socket);
    socket.datagrams$.subscribe(({ data, from }) => perform(engine.receiveFromPeer(data, from, relayed, clock.now())));
    perform(engine.bound(relayed, clock.now()));
  };

  const release = (relayed: Endpoint): void => {
    relays.get(formatEndpoint(relayed))?.close();
    relays.delete(formatEndpoint(relayed));
  };

  udp.datagrams$.subscribe(({ data, from }) => {
    perform(engine.receive(data, { transport: 'udp', client: from, server: udp.local }, clock.now()));
  });
  tcp.connections$.subscribe((socket) => {
    const tuple: FiveTuple = { transport: 'tcp', client: socket.remote, server: socket.local };
    const decoder = createTurnStreamDecoder();
    streams.set(fiveTupleKey(tuple), socket);
    const end = (): void => {
      socket.destroy();
      streams.delete(fiveTupleKey(tuple));
      perform(engine.disconnect(tuple, clock.now()));
    };
    socket.bytes$.subscribe({
      next(chunk) {
        for (const message of decoder.decode(chunk)) perform(engine.receive(message, tuple, clock.now()));
      },
      error: end,
      complete: end,
    });
  });
  onTestFinished(async () => {
    udp.close();
    for (const socket of [...streams.values()]) socket.destroy();
    for (const socket of relays.values()) socket.close();
    clock.clearTimeout(timer);
    await tcp.close();
  });
  return { engine, at: udp.local };
}

/** A UDP socket on loopback that sends back what it gets, until the test is over. */
export async function echoPeer(): Promise<Endpoint> {
  const socket = await network.udp({ family: 4, address: LOOPBACK });
  onTestFinished(() => socket.close());
  socket.datagrams$.subscribe(({ data, from }) => socket.send(data, from));
  return endpoint(LOOPBACK, socket.local.port);
}
