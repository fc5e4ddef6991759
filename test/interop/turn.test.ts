import { describe, expect, it, onTestFinished } from 'vitest';
import { createTurnClient, type TurnProtocol } from 'werift';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import { type GuestWorld, tcpGuest, udpGuest } from '../protocol/turn/guest.ts';
import { ALICE, echoPeer, LOOPBACK, serveTurn } from './turn-server.ts';

const TRANSPORTS = ['udp', 'tcp'] as const;

describe.each(TRANSPORTS)("werift's client at our server, over %s", (transport) => {
  /** With an allocation, until the test is over. */
  async function connect(port: number): Promise<TurnProtocol> {
    const turn = await createTurnClient({ address: [LOOPBACK, port], ...ALICE }, { transport, lifetime: 900 });
    onTestFinished(() => turn.close());
    return turn;
  }

  it('allocates, binds a channel and exchanges data with a peer', async () => {
    const { engine, at } = await serveTurn();
    const turn = await connect(at.port);
    const peer = await echoPeer();
    const heard: string[] = [];
    const echoed = new Promise<void>((resolve) => {
      turn.onData.subscribe((data, from) => {
        heard.push(`${from.join(':')} ${data}`);
        if (heard.length === 3) resolve();
      });
    });
    for (const text of ['a', 'bcd', 'efghijk']) await turn.sendData(Buffer.from(text), [LOOPBACK, peer.port]);
    await echoed;
    expect(heard).toEqual(['a', 'bcd', 'efghijk'].map((text) => `${LOOPBACK}:${peer.port} ${text}`));
    expect(turn.relayedAddress).toEqual([LOOPBACK, expect.any(Number)]);
    // One challenge, then the Allocate and the ChannelBind.
    expect(engine.counters).toMatchObject({ allocations: 1, refused: { 401: 1 }, granted: 2, relayedDatagrams: 6 });
  });
});

describe.each(TRANSPORTS)('our client at our server, over %s', (transport) => {
  it('exchanges data with a peer on real sockets, and lets go', async () => {
    const { engine, at } = await serveTurn();
    const peer = await echoPeer();
    const world: GuestWorld = { network: nodeNetwork(), clock: systemClock(), random: cryptoRandom() };
    const guest = transport === 'udp' ? await udpGuest(world, at, ALICE, LOOPBACK) : await tcpGuest(world, at, ALICE);
    guest.do({ type: 'allocate' }, { type: 'bind', peer });
    await guest.until(() => guest.story === 'allocated permitted');
    for (const text of ['a', 'bcd', 'efghijk']) guest.say(text, peer);
    await guest.until(() => guest.heard.length === 3);
    expect(guest.texts).toEqual(['a', 'bcd', 'efghijk']);
    guest.do({ type: 'close' });
    await guest.until(() => guest.story === 'allocated permitted ended');
    expect(engine.counters).toMatchObject({ allocations: 0, allocated: 1, refused: { 401: 1 } });
  });
});
