import { describe, expect, it } from 'vitest';
import { frameDatagram } from '../../../src/protocol/framing/frame.ts';
import { BINDING, encodeMessage, shortTermKey } from '../../../src/protocol/stun/index.ts';
import { type Caller, createTcpLobby } from '../../../src/streams/tcp-lobby.ts';
import { manualClock } from '../../manual-clock.ts';
import { type MemoryEnd, MemoryTcp } from './memory-tcp.ts';

const PORT = 7000;

function setUp() {
  const clock = manualClock();
  const tcp = new MemoryTcp();
  const lobby = createTcpLobby([tcp.listen('203.0.113.1', PORT), tcp.listen('2001:db8::1', PORT)], clock);
  const callers: Caller[] = [];
  const unregister = lobby.onCaller('ours', (caller) => callers.push(caller));
  const dial = (from: string): Promise<MemoryEnd> =>
    tcp.dial(from, { host: from.includes(':') ? '2001:db8::1' : '203.0.113.1', port: PORT });
  /** Whatever was said to those who connected. */
  const heard: Uint8Array[] = [];
  const connect = async (from = '198.51.100.1'): Promise<MemoryEnd> => {
    const made = await dial(from);
    made.bytes$.subscribe((bytes) => heard.push(bytes));
    return made;
  };
  return { clock, tcp, lobby, callers, unregister, connect, heard };
}

/** A framed Binding message to this agent. */
function binding(username: string, messageClass: 'request' | 'indication' = 'request'): Uint8Array {
  const message = encodeMessage(
    {
      class: messageClass,
      method: BINDING,
      transactionId: new Uint8Array(12),
      attributes: [{ type: 'username', value: username }],
    },
    { integrityKey: shortTermKey('password'), fingerprint: true },
  );
  return frameDatagram(message);
}

const isOpen = ({ destroyed }: MemoryEnd): boolean => !destroyed;

describe('the TCP lobby', () => {
  it('hands a connection to the agent that its first request names, and forgets it', async () => {
    const { clock, lobby, callers, connect, tcp, heard } = setUp();
    const caller = await connect('2001:db8::99');
    await caller.write(binding('ours:theirs'));
    expect(callers).toMatchObject([
      { base: { address: '::', port: PORT }, request: { class: 'request' }, socket: { remote: caller.local } },
    ]);
    clock.advance(60_000);
    await caller.write(binding('theirs:ours'));
    lobby.close();
    expect(tcp.accepted.map(isOpen)).toEqual([true]);
    expect(lobby.counters).toEqual({ claimed: 1, unclaimed: 0, malformed: 0, silent: 0, crowded: 0 });
    expect(clock.pending).toBe(0);
    expect(heard).toEqual([]);
  });

  it.each([
    ['a request to nobody', binding('nobody:theirs'), 'unclaimed'],
    ['a request without a name', binding(''), 'unclaimed'],
    ['no request', binding('ours:theirs', 'indication'), 'malformed'],
    [
      'STUN that cannot be decoded',
      frameDatagram(Buffer.from(`000100042112a442${'00'.repeat(12)}`, 'hex')),
      'malformed',
    ],
    ['what is neither', frameDatagram(Uint8Array.of(0x40, 1, 2)), 'malformed'],
    ['a giant frame', Uint8Array.of(0xff, 0xff), 'malformed'],
    ['no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'malformed'],
  ] as const)('closes a connection that begins with %s, without a word', async (_, bytes, reason) => {
    const { lobby, connect, tcp, callers, heard, clock } = setUp();
    await (await connect()).write(bytes);
    expect(tcp.accepted.map(isOpen)).toEqual([false]);
    expect(lobby.counters[reason]).toBe(1);
    expect([callers, heard, clock.pending]).toEqual([[], [], 0]);
  });

  it('gives a connection 5 s for its first request, however slowly it speaks', async () => {
    const { lobby, connect, tcp, clock } = setUp();
    const slow = await connect();
    for (const byte of binding('ours:theirs').subarray(0, 4)) {
      await slow.write(Uint8Array.of(byte));
      clock.advance(1200);
    }
    expect(tcp.accepted.map(isOpen)).toEqual([true]);
    clock.advance(200);
    expect(tcp.accepted.map(isOpen)).toEqual([false]);
    expect(lobby.counters.silent).toBe(1);
  });

  it('forgets a connection that ends before it has said anything', async () => {
    const { lobby, connect, clock } = setUp();
    (await connect()).destroy();
    expect(lobby.counters.silent).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('lets 8 connections of one network wait, and not one more', async () => {
    const { lobby, connect, tcp, callers } = setUp();
    const all = [];
    for (let i = 0; i < 10; i++) all.push(await connect(`198.51.100.${i + 1}`));
    expect(tcp.accepted.map(isOpen)).toEqual([...new Array(8).fill(true), false, false]);
    expect(lobby.counters.crowded).toBe(2);
    await all[0]!.write(binding('ours:theirs'));
    expect(callers).toHaveLength(1);
    await connect('198.51.100.77');
    expect(isOpen(tcp.accepted[10]!)).toBe(true);
  });

  it('takes an IPv6 network for one source', async () => {
    const { connect, tcp } = setUp();
    for (let i = 1; i <= 9; i++) await connect(`2001:db8:0:1::${i}`);
    await connect('2001:db8:0:2::1');
    expect(tcp.accepted.filter(isOpen)).toHaveLength(9);
  });

  it('closes the one that has waited longest when 64 wait', async () => {
    const { lobby, connect, tcp, clock } = setUp();
    for (let i = 0; i < 66; i++) await connect(`198.51.${i}.1`);
    expect(tcp.accepted.map(isOpen)).toEqual([false, false, ...new Array(64).fill(true)]);
    expect(lobby.counters.crowded).toBe(2);
    expect(clock.pending).toBe(64);
  });

  it('knows an agent until it is taken out, and not what came later under its name', async () => {
    const { lobby, connect, unregister, callers } = setUp();
    const later: Caller[] = [];
    lobby.onCaller('ours', (caller) => later.push(caller));
    unregister();
    await (await connect()).write(binding('ours:theirs'));
    expect([callers.length, later.length]).toEqual([0, 1]);
  });

  it('closes its listeners and those who wait', async () => {
    const { lobby, connect, tcp, clock } = setUp();
    await connect();
    lobby.close();
    expect(tcp.accepted.map(isOpen)).toEqual([false]);
    expect(clock.pending).toBe(0);
    await expect(connect()).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
  });

  it('says what it listens on', () => {
    expect(setUp().lobby.bases.map(({ address, port }) => `${address} ${port}`)).toEqual(['0.0.0.0 7000', ':: 7000']);
  });
});
