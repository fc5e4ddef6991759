import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { RemoteCandidate } from '../../src/core/candidate.ts';
import { type Endpoint, endpoint, sameEndpoint } from '../../src/core/endpoint.ts';
import { createFrameDecoder } from '../../src/protocol/framing/frame.ts';
import { CHECK_BUDGET } from '../../src/protocol/ice/check-budget.ts';
import { decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { tryDecodeStun } from '../../src/streams/demultiplex.ts';
import { createWorld, type Inhabitant, type World } from '../peer/world.ts';
import { hostileNetwork } from './hostile-network.ts';
import { forgeOffer, strangerAt } from './offer-forgery.ts';
import { EXCHANGED, exchange, victims } from './victims.ts';

const udpAt = (to: Endpoint, n: number): RemoteCandidate => ({
  transport: 'udp',
  // Of this type it is tried again.
  type: 'srflx',
  endpoint: to,
  priority: 1_000_000 + n,
  foundation: `${n}`,
});

const tcpAt = (to: Endpoint, n: number): RemoteCandidate => ({
  transport: 'tcp',
  tcpType: 'passive',
  type: 'host',
  endpoint: to,
  priority: 1_000_000 + n,
  foundation: `${n}`,
});

/** Sessions of a holder of a ticket of its own, in which it says no more than where it would like to be checked. */
async function offerSessions(
  world: World,
  { peer }: Inhabitant,
  count: number,
  candidates: (session: number) => readonly RemoteCandidate[],
): Promise<void> {
  const ticket = decodeTicket(await peer.createTicket());
  const holder = await strangerAt(world.rendezvous.signaling());
  for (let i = 0; i < count; i++) holder.offer(forgeOffer(ticket, { message: { candidates: candidates(i) } }).offer);
}

const upTo = <T>(count: number, make: (n: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe.concurrent('a holder of a ticket', () => {
  it.each<[string, number, number, (session: number, n: number) => Endpoint]>([
    ['hundreds of addresses', 30, CHECK_BUDGET.total / 2, (i, n) => endpoint(`127.${i + 1}.1.${n + 1}`, 7000)],
    ['the ports of its peer’s host', 4, CHECK_BUDGET.host / 2, (i, n) => endpoint('127.0.0.1', 1024 + 32 * i + n)],
  ])('cannot use the checks of all up by naming %s, so that others find no path', async (_, sessions, share, at) => {
    await using world = createWorld();
    const network = hostileNetwork();
    const dialer = { policy: 'direct-only' } as const;
    const pair = await victims(world, { listener: { env: { network } }, dialer });
    await offerSessions(world, pair.listener, sessions, (i) => upTo(32, (n) => udpAt(at(i, n), n)));
    const aimed = (): number => network.sniffed.filter(({ stun }) => stun?.class === 'request').length;
    let before = 0;
    await vi.waitFor(
      () => {
        const last = before;
        before = aimed();
        expect([before > 0, before]).toEqual([true, last]);
      },
      { timeout: 8000, interval: 700 },
    );
    expect(aimed()).toBeLessThanOrEqual(share);
    expect(aimed()).toBeGreaterThan(0.9 * share);
    const here = pair.dialer.peer.connect(pair.text, { timeout: 5000 });
    await here.ready;
    expect(here.path).toMatchObject({ kind: 'direct' });
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(1));
    expect(await exchange({ here, there: pair.incoming[0]! })).toEqual(EXCHANGED);
  });

  it('makes its peer open no TCP connection to a port below 1024, and say nothing but a check to others', async () => {
    await using world = createWorld();
    const network = hostileNetwork();
    const listener = await world.inhabitant({ env: { network } });
    const heard: { bytes: Uint8Array; ended: boolean }[] = [];
    const service = createServer((socket) => {
      const call = { bytes: new Uint8Array(0), ended: false };
      heard.push(call);
      socket.on('data', (chunk) => {
        call.bytes = Buffer.concat([call.bytes, chunk]);
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        call.ended = true;
      });
    });
    service.listen(0, '0.0.0.0');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    const low = [22, 25, 80, 443, 1023].map((number) => endpoint('127.0.0.1', number));
    const others = upTo(6, (n) => endpoint(`127.0.0.${n + 1}`, port));
    await offerSessions(world, listener, 1, () => [...low, ...others].map(tcpAt));
    await vi.waitFor(() => expect(heard.filter(({ ended }) => ended)).toHaveLength(others.length), { timeout: 12_000 });
    for (const other of others) expect(network.called.filter((to) => sameEndpoint(to, other))).toHaveLength(1);
    expect(network.called).toHaveLength(others.length);
    for (const { bytes } of heard) {
      const said = createFrameDecoder().decode(bytes);
      expect([...said].map((datagram) => tryDecodeStun(datagram)?.class)).toEqual(['request']);
    }
    service.close();
  });
});
