import { describe, expect, it } from 'vitest';
import { DISCARD_PORT } from '../../../src/core/candidate.ts';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { frameDatagram } from '../../../src/protocol/framing/frame.ts';
import { signalled } from '../../protocol/ice/internet.ts';
import { host, isOpen, LEFT, PORT, quic, RIGHT, type Side, setUp, typesOf, type World } from './sides.ts';

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

const validOf = ({ events }: Side) => events.find((event) => event.type === 'pair.valid')!;

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

  it('closes a connection whose check is not answered within 5 s', async () => {
    const world = setUp();
    world.right.lobby.close();
    const strange = world.tcp.listen(RIGHT, PORT);
    strange.connections$.subscribe();
    introduce(world);
    await world.pass(4900);
    expect(world.tcp.opened.map(isOpen)).toEqual([true]);
    await world.pass(200);
    expect(world.tcp.opened.map(isOpen)).toEqual([false]);
    expect(world.left.pump.agent.snapshot().pairs).toMatchObject([{ state: 'failed', failure: 'disconnected' }]);
    expect(world.tcp.attempts).toHaveLength(1);
  });

  it('hears nothing of the session from an address that has answered no check', async () => {
    const world = setUp();
    world.right.lobby.close();
    world.tcp.listen(RIGHT, PORT).connections$.subscribe((socket) => void socket.write(frameDatagram(quic)));
    introduce(world);
    await world.pass(500);
    expect(world.tcp.accepted).toHaveLength(1);
    expect(world.left.packets).toEqual([]);
  });

  it.each([
    ['what is no frame', Uint8Array.of(0xff, 0xff)],
    ['what is neither STUN nor QUIC', frameDatagram(Uint8Array.of(0x20, 1))],
  ])('drops a connection that carries %s', async (_, bytes) => {
    const { tcp, left } = await joined();
    await tcp.accepted[0]!.write(bytes);
    expect(left.events.at(-1)).toMatchObject({ type: 'pair.lost', reason: 'disconnected' });
    expect(isOpen(tcp.opened[0]!)).toBe(false);
  });
});
