import { describe, expect, it } from 'vitest';
import { type Candidate, candidatePriority, DISCARD_PORT, type TcpType } from '../../../src/core/candidate.ts';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { encodeFrame } from '../../../src/protocol/framing/frame.ts';
import { createIceAgent, type IceAgentOptions, type IceEvent } from '../../../src/protocol/ice/index.ts';
import { encodeMessage, shortTermKey } from '../../../src/protocol/stun/index.ts';
import { createIcePump, type IcePump } from '../../../src/streams/ice-pump.ts';
import { createTcpLobby, type TcpLobby } from '../../../src/streams/tcp-lobby.ts';
import { type ManualClock, manualClock } from '../../manual-clock.ts';
import { signalled } from '../../protocol/ice/internet.ts';
import { checkFromRight } from '../../protocol/ice/messages.ts';
import { LEFT as LEFT_CREDENTIALS, leftOptions, rightOptions } from '../../protocol/ice/pair-of-agents.ts';
import { type MemoryEnd, MemoryTcp } from './memory-tcp.ts';

const LEFT = '198.51.100.1';
const RIGHT = '203.0.113.1';
const PORT = 7000;

interface Side {
  readonly pump: IcePump;
  readonly lobby: TcpLobby;
  readonly events: IceEvent[];
  readonly packets: string[];
}

interface World {
  readonly clock: ManualClock;
  readonly tcp: MemoryTcp;
  /** Controlling; connects. */
  readonly left: Side;
  /** Controlled; is connected to. */
  readonly right: Side;
  /** Moves time on in small steps, so that what was promised meanwhile happens. */
  pass(ms: number): Promise<void>;
}

function setUp(more: { left?: Partial<IceAgentOptions>; right?: Partial<IceAgentOptions> } = {}): World {
  const clock = manualClock();
  const tcp = new MemoryTcp();
  const make = (address: string, options: IceAgentOptions): Side => {
    const lobby = createTcpLobby([tcp.listen(address, PORT)], clock);
    const events: IceEvent[] = [];
    const packets: string[] = [];
    const pump = createIcePump({
      agent: createIceAgent(options),
      clock,
      routers: [],
      tcp: {
        network: tcp.host(address),
        lobby,
        onPacket: (packet, pairId) => packets.push(`${pairId} ${Buffer.from(packet).toString('hex')}`),
      },
      onEvent: (event) => events.push(event),
    });
    return { pump, lobby, events, packets };
  };
  const left = make(LEFT, leftOptions(more.left));
  const right = make(RIGHT, rightOptions(more.right));
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(Math.min(100, ms - passed));
      await new Promise(setImmediate);
    }
  };
  return { clock, tcp, left, right, pass };
}

function host(address: string, port: number, tcpType: TcpType): Candidate {
  const at = endpoint(address, port);
  const transport = { transport: 'tcp', tcpType } as const;
  const priority = candidatePriority('host', 65_535, transport);
  return { ...transport, type: 'host', endpoint: at, base: at, priority, foundation: `${address} ${tcpType}` };
}

/** Left knows where right listens; right knows nothing of left. */
function introduce({ left, right }: World): void {
  left.pump.handle({ type: 'local-candidate', candidate: host(LEFT, DISCARD_PORT, 'active') });
  right.pump.handle({ type: 'local-candidate', candidate: host(RIGHT, PORT, 'passive') });
  left.pump.handle({ type: 'remote-candidate', candidate: signalled(host(RIGHT, PORT, 'passive')) });
}

async function joined(): Promise<World> {
  const world = setUp();
  introduce(world);
  await world.pass(100);
  return world;
}

const typesOf = ({ events }: Side): string[] => events.map(({ type }) => type);
const validOf = ({ events }: Side) => events.find((event) => event.type === 'pair.valid')!;
const quic = Uint8Array.of(0x40, 1, 2, 3);
const isOpen = ({ destroyed }: MemoryEnd): boolean => !destroyed;

describe('the ICE pump over TCP', () => {
  it('makes a valid pair on both sides of one connection', async () => {
    const { tcp, left, right } = await joined();
    expect(typesOf(left)).toContain('pair.valid');
    expect(typesOf(right)).toContain('pair.valid');
    const own = tcp.opened[0]!.local;
    expect(validOf(left)).toMatchObject({
      local: { transport: 'tcp', tcpType: 'active', endpoint: own },
      remote: { transport: 'tcp', tcpType: 'passive', endpoint: endpoint(RIGHT, PORT) },
    });
    expect(validOf(right)).toMatchObject({
      local: { transport: 'tcp', tcpType: 'passive' },
      remote: { type: 'prflx', transport: 'tcp', tcpType: 'active', endpoint: own },
    });
    expect(tcp.attempts).toEqual([formatEndpoint(endpoint(RIGHT, PORT))]);
  });

  it('carries packets of the session both ways on it', async () => {
    const { left, right } = await joined();
    const there = validOf(left).pairId;
    const back = validOf(right).pairId;
    expect(left.pump.sendTcp(there, quic)).toBe(true);
    expect(right.pump.sendTcp(back, quic)).toBe(true);
    expect([left.packets, right.packets]).toEqual([[`${there} 40010203`], [`${back} 40010203`]]);
    expect(left.pump.sendTcp(back, quic)).toBe(false);
  });

  it('keeps consent on the same connection', async () => {
    const { tcp, left, right, pass } = await joined();
    left.pump.handle({ type: 'use', pairIds: [validOf(left).pairId] });
    await pass(60_000);
    expect(left.events.filter(({ type }) => type === 'pair.confirmed').length).toBeGreaterThanOrEqual(10);
    expect([...typesOf(left), ...typesOf(right)]).not.toContain('pair.lost');
    expect(tcp.attempts).toHaveLength(1);
  });

  it.each([
    ['this side', 'left'],
    ['the other side', 'right'],
  ] as const)('loses the pair at once when %s closes it', async (_, closing) => {
    const world = await joined();
    world[closing].pump.stop();
    const other = closing === 'left' ? world.right : world.left;
    expect(other.events.at(-1)).toMatchObject({ type: 'pair.lost', reason: 'disconnected' });
    expect([...world.tcp.opened, ...world.tcp.accepted].filter(isOpen)).toEqual([]);
  });

  it('loses the pair at once when the connection breaks', async () => {
    const { tcp, left } = await joined();
    tcp.opened[0]!.break();
    expect(left.events.at(-1)).toMatchObject({ type: 'pair.lost', reason: 'disconnected' });
  });

  it('closes the connection of a pair that lost its consent', async () => {
    const { tcp, left, pass } = await joined();
    tcp.opened[0]!.taking = false;
    left.pump.handle({ type: 'check', pairId: validOf(left).pairId });
    await pass(5000);
    expect(left.events.at(-1)).toMatchObject({ type: 'pair.lost', reason: 'unanswered' });
    expect(isOpen(tcp.opened[0]!)).toBe(false);
  });

  it('gives up a pair whose address refuses, and does not try it again', async () => {
    const { tcp, left, pass } = setUp();
    left.pump.handle({ type: 'local-candidate', candidate: host(LEFT, DISCARD_PORT, 'active') });
    left.pump.handle({ type: 'remote-candidate', candidate: signalled(host(RIGHT, 7777, 'passive')) });
    await pass(20_000);
    expect(tcp.attempts).toEqual([`${RIGHT}:7777`]);
    expect(left.pump.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'disconnected' }]);
  });

  it('opens at most four connections at once, each within 2.5 s', async () => {
    const { tcp, left, pass, clock } = setUp();
    left.pump.handle({ type: 'local-candidate', candidate: host(LEFT, DISCARD_PORT, 'active') });
    for (let i = 1; i <= 10; i++) {
      tcp.silence(`192.0.2.${i}`, PORT);
      left.pump.handle({ type: 'remote-candidate', candidate: signalled(host(`192.0.2.${i}`, PORT, 'passive')) });
    }
    await pass(2400);
    expect(tcp.attempts).toHaveLength(4);
    await pass(200);
    expect(tcp.attempts).toHaveLength(8);
    await pass(2600);
    expect(new Set(tcp.attempts).size).toBe(10);
    await pass(2600);
    expect(left.pump.agent.snapshot().pairs.map(({ failure }) => failure)).toEqual(new Array(10).fill('disconnected'));
    left.pump.stop();
    expect(clock.pending).toBe(0);
  });

  it('ends the attempts when it is stopped', async () => {
    const { tcp, left, right, pass, clock } = setUp();
    tcp.silence(RIGHT, PORT);
    left.pump.handle({ type: 'local-candidate', candidate: host(LEFT, DISCARD_PORT, 'active') });
    left.pump.handle({ type: 'remote-candidate', candidate: signalled(host(RIGHT, PORT, 'passive')) });
    await pass(300);
    left.pump.stop();
    right.pump.stop();
    await new Promise(setImmediate);
    expect([tcp.attempts.length, tcp.opened.length, clock.pending]).toEqual([1, 0, 0]);
  });

  it('closes a connection whose check is never answered', async () => {
    const world = setUp();
    world.right.lobby.close();
    const strange = world.tcp.listen(RIGHT, PORT);
    strange.connections$.subscribe();
    introduce(world);
    await world.pass(39_000);
    expect(world.tcp.opened.map(isOpen)).toEqual([true]);
    await world.pass(1500);
    expect(world.tcp.opened.map(isOpen)).toEqual([false]);
  });

  it('hears nothing of the session from an address that has answered no check', async () => {
    const world = setUp();
    world.right.lobby.close();
    world.tcp.listen(RIGHT, PORT).connections$.subscribe((socket) => void socket.write(encodeFrame(quic)));
    introduce(world);
    await world.pass(500);
    expect(world.tcp.accepted).toHaveLength(1);
    expect(world.left.packets).toEqual([]);
  });

  it.each([
    ['what is no frame', Uint8Array.of(0xff, 0xff)],
    ['what is neither STUN nor QUIC', encodeFrame(Uint8Array.of(0x20, 1))],
  ])('drops a connection that carries %s', async (_, bytes) => {
    const { tcp, left } = await joined();
    await tcp.accepted[0]!.write(bytes);
    expect(left.events.at(-1)).toMatchObject({ type: 'pair.lost', reason: 'disconnected' });
    expect(isOpen(tcp.opened[0]!)).toBe(false);
  });
});

/** A signed request to left, of some method. */
function requestOf(method: number): Uint8Array {
  return encodeMessage(
    {
      class: 'request',
      method,
      transactionId: new Uint8Array(12),
      attributes: [{ type: 'username', value: `${LEFT_CREDENTIALS.ufrag}:right` }],
    },
    { integrityKey: shortTermKey(LEFT_CREDENTIALS.pwd) },
  );
}

describe('strangers at the listener', () => {
  /** Right's part is played by hand: it connects to left's listener. */
  async function visit(world: World, bytes: Uint8Array): Promise<{ end: MemoryEnd; heard: Uint8Array[] }> {
    const end = await world.tcp.dial(RIGHT, { host: LEFT, port: PORT });
    const heard: Uint8Array[] = [];
    end.bytes$.subscribe((chunk) => heard.push(chunk));
    await end.write(bytes);
    return { end, heard };
  }

  const listening = (): World => {
    const world = setUp();
    world.left.pump.handle({ type: 'local-candidate', candidate: host(LEFT, PORT, 'passive') });
    return world;
  };

  it('answers one that knows the password', async () => {
    const world = listening();
    const { heard } = await visit(world, encodeFrame(checkFromRight()));
    expect(heard.length).toBeGreaterThan(0);
    expect(world.tcp.accepted.map(isOpen)).toEqual([true]);
  });

  it.each([
    ['a wrong password', checkFromRight({ pwd: 'wrong-password-of-22-chars' })],
    ['no signature', checkFromRight({ signed: false })],
    ['a request that is no check', requestOf(0x003)],
  ])('closes one with %s without a word, and learns nothing of it', async (_, bytes) => {
    const world = listening();
    const { heard } = await visit(world, Buffer.concat([encodeFrame(bytes), encodeFrame(quic)]));
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
    expect([heard, world.left.packets]).toEqual([[], []]);
    expect(world.left.pump.agent.snapshot()).toMatchObject({ remote: [], pairs: [] });
  });

  it('closes one from an address that takes no part', async () => {
    const world = listening();
    const end = await world.tcp.dial('127.0.0.1', { host: LEFT, port: PORT });
    await end.write(encodeFrame(checkFromRight()));
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
  });

  it('keeps eight connections of one agent, and no more', async () => {
    const world = listening();
    for (let i = 0; i < 12; i++) await visit(world, encodeFrame(checkFromRight()));
    expect(world.tcp.accepted.map(isOpen)).toEqual([...new Array(8).fill(true), ...new Array(4).fill(false)]);
  });

  it('lets none take the place of a connection that stands', async () => {
    const world = listening();
    for (let i = 0; i < 2; i++) {
      const end = await world.tcp.dial(RIGHT, { host: LEFT, port: PORT, localPort: 5555 });
      await end.write(encodeFrame(checkFromRight()));
    }
    expect(world.tcp.accepted.map(isOpen)).toEqual([true, false]);
  });

  it('knows nobody any more once it is stopped', async () => {
    const world = listening();
    world.left.pump.stop();
    await visit(world, encodeFrame(checkFromRight()));
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
    expect(world.left.lobby.counters.unclaimed).toBe(1);
  });
});
