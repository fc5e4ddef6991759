import { randomBytes } from 'node:crypto';
import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import type { Datagram } from '../../src/core/datagram.ts';
import type { Network } from '../../src/core/network.ts';
import { faultyNetwork } from './faulty-network.ts';
import { numberedBytes, receiveAll, sendAll, streamBetween } from './transfer.ts';
import { connectedPair, createWorld, untilPath } from './world.ts';

/**
 * A network into which somebody on the way puts packets that look as if they came from the other side: he sees addresses and
 * connection ids, and has no key.
 */
function overheardNetwork() {
  const network = faultyNetwork(nodeNetwork());
  /** The last packet of a session in each socket (the short header of RFC 9000 section 17.3), and the socket's input. */
  const overheard = new Map<Subject<Datagram>, Datagram>();
  const udp: Network['udp'] = async (options) => {
    const socket = await network.udp(options);
    const datagrams$ = new Subject<Datagram>();
    socket.datagrams$.subscribe({
      next(datagram) {
        const isShort = (datagram.data[0]! & 0xc0) === 0x40;
        if (isShort) overheard.set(datagrams$, { data: Uint8Array.from(datagram.data), from: datagram.from });
        datagrams$.next(datagram);
      },
      complete: () => datagrams$.complete(),
    });
    return { local: socket.local, datagrams$, send: socket.send, close: socket.close };
  };
  return {
    network,
    udp,
    /** Puts in one packet for each that was overheard: its header and connection id, and nonsense for the rest. */
    forge(): number {
      for (const [datagrams$, { data, from }] of overheard) {
        datagrams$.next({ data: Buffer.concat([data.subarray(0, 17), randomBytes(60)]), from });
      }
      return overheard.size;
    },
  };
}

it('forged packets neither keep a dead path in use nor count as heard', async () => {
  await using world = createWorld();
  const [near, far] = [overheardNetwork(), overheardNetwork()];
  const pair = await connectedPair(world, {
    listener: { env: { network: { ...near.network, udp: near.udp } } },
    dialer: { env: { network: { ...far.network, udp: far.udp } } },
  });
  await Promise.all([untilPath(pair.here, 'direct'), untilPath(pair.there, 'direct')]);
  // What was on its way over the relay may come last.
  do await carry();
  while (pair.here.lastHeard?.kind !== 'direct' || pair.there.lastHeard?.kind !== 'direct');

  let forged = 0;
  near.network.traffic = 'drop';
  far.network.traffic = 'drop';
  const forger = setInterval(() => {
    forged += near.forge() + far.forge();
  }, 2);
  const since = performance.now();
  await carry();
  expect(performance.now() - since).toBeLessThan(3000);
  expect([pair.here.lastHeard?.kind, pair.there.lastHeard?.kind]).toEqual(['relayed', 'relayed']);
  await Promise.all([untilPath(pair.here, 'relayed'), untilPath(pair.there, 'relayed')]);
  expect(performance.now() - since).toBeLessThan(8000);
  clearInterval(forger);
  expect(forged).toBeGreaterThan(100);
  expect(pair.there.stats()?.ignoredPackets).toBeGreaterThan(50);
  await carry();

  /** Some bytes there and back. */
  async function carry(): Promise<void> {
    const sent = numberedBytes(2 ** 16);
    const [mine, theirs] = await streamBetween(pair.here, pair.there);
    await sendAll(mine, sent);
    expect((await receiveAll(theirs)).equals(sent)).toBe(true);
    await sendAll(theirs, sent);
    expect((await receiveAll(mine)).equals(sent)).toBe(true);
  }
});
