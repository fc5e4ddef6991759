import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frameDatagram } from '../../src/protocol/framing/frame.ts';
import { startTransfer } from '../peer/transfer.ts';
import { connectedPair, createWorld, type Pair, untilPath, type World } from '../peer/world.ts';
import { inParallel, mutations, sendDatagrams, sendStream } from './attack.ts';
import { SEED, TIMEOUT } from './budget.ts';
import type { Mutator } from './engine/mutate-bytes.ts';
import { mutateBytes } from './engine/mutate-bytes.ts';
import { mutateStun } from './engine/mutate-stun.ts';
import { type TappedNetwork, tappedNetwork } from './tapped-network.ts';
import { stunMessage } from './targets/stun.ts';

const uncaught: unknown[] = [];
const keep = (error: unknown): void => void uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', keep);
  process.on('unhandledRejection', keep);
});
afterEach(() => {
  process.off('uncaughtException', keep);
  process.off('unhandledRejection', keep);
  expect(uncaught).toEqual([]);
});

/** STUN as STUN, the rest as bytes. */
const mutatePacket: Mutator = (input, other, chance) =>
  (input[0]! < 4 ? mutateStun : mutateBytes)(input, other, chance).subarray(0, 2000);

describe('two peers with a connection', () => {
  it(
    'live through 20,000 datagrams to their ports that are something like those they send',
    () =>
      withConnection(async ({ listener, dialer }, check) => {
        const ports = [...listener.udpPorts, ...dialer.udpPorts];
        const mutated = mutations(
          [...listener.heard, ...dialer.heard, ...stunMessage.seeds],
          mutatePacket,
          20_000,
          SEED,
        );
        for (let at = 0; at < mutated.length; at += 500) {
          await sendDatagrams(mutated.slice(at, at + 500), ports);
          await check();
        }
      }),
    TIMEOUT,
  );

  it(
    'live through 20,000 datagrams like those, in the name of each other',
    () =>
      withConnection(async ({ listener, dialer }, check) => {
        const mutated = mutations([...listener.heard, ...dialer.heard], mutatePacket, 20_000, SEED + 1);
        for (const [i, data] of mutated.entries()) {
          const [victim, other] = i % 2 === 0 ? [listener, dialer] : [dialer, listener];
          victim.forge({ data, from: other.udpPorts[0]! });
          if (i % 500 === 0) await check();
        }
      }),
    TIMEOUT,
  );

  it(
    'live through 2,000 TCP connections that carry something like frames',
    () =>
      withConnection(async ({ listener, dialer }, check) => {
        const ports = [...listener.tcpPorts, ...dialer.tcpPorts];
        expect(ports.length).toBeGreaterThan(0);
        const frames = [...listener.heard, ...dialer.heard].filter(({ length }) => length <= 1500).map(frameDatagram);
        const mutated = mutations(frames, mutateBytes, 2000, SEED);
        await inParallel(mutated.length, 8, async (i) => {
          await sendStream([mutated[i]!], ports[i % ports.length]!);
          if (i % 200 === 0) await check();
        });
      }),
    TIMEOUT,
  );
});

interface Networks {
  readonly listener: TappedNetwork;
  readonly dialer: TappedNetwork;
}

/** `check` fulfils when bytes get through; afterwards another connection must still come about. */
async function withConnection(
  attack: (networks: Networks, check: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await using world: World = createWorld();
  const networks: Networks = { listener: tappedNetwork(), dialer: tappedNetwork() };
  const pair: Pair = await connectedPair(world, {
    listener: { env: { network: networks.listener } },
    dialer: { env: { network: networks.dialer } },
  });
  await untilPath(pair.here, 'direct');
  const transfer = await startTransfer(pair.here, pair.there);
  await attack(networks, () => transfer.more(10_000));
  await transfer.finish();
  const incoming = firstValueFrom(pair.listener.peer.incoming$);
  const second = pair.dialer.peer.connect(await pair.listener.peer.createTicket());
  await second.ready;
  const another = await startTransfer(second, await incoming);
  await another.more(10_000);
  await another.finish();
}
