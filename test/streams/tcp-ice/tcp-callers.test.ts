import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { createFrameDecoder, frameDatagram } from '../../../src/protocol/framing/frame.ts';
import { decodeMessage, encodeMessage, shortTermKey } from '../../../src/protocol/stun/index.ts';
import { checkFromRight, responseFromRight } from '../../protocol/ice/messages.ts';
import { LEFT as LEFT_CREDENTIALS } from '../../protocol/ice/pair-of-agents.ts';
import type { MemoryEnd } from './memory-tcp.ts';
import { host, isOpen, LEFT, PORT, quic, RIGHT, setUp, typesOf, type World } from './sides.ts';

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

  /** From now on the visitor answers what it is asked, as right would. */
  function answering({ end, heard }: Awaited<ReturnType<typeof visit>>): void {
    const decoder = createFrameDecoder();
    const answer = (chunk: Uint8Array): void => {
      for (const datagram of decoder.decode(chunk)) {
        const message = decodeMessage(datagram);
        if (message.class !== 'request') continue;
        void end.write(
          frameDatagram(responseFromRight(message, [{ type: 'xor-mapped-address', endpoint: endpoint(LEFT, PORT) }])),
        );
      }
    };
    for (const chunk of heard) answer(chunk);
    end.bytes$.subscribe({ next: answer, error: () => {} });
  }

  const listening = (): World => {
    const world = setUp();
    world.left.pump.handle({ type: 'local-candidate', candidate: host(LEFT, PORT, 'passive') });
    return world;
  };

  it('answers one that knows the password', async () => {
    const world = listening();
    const { heard } = await visit(world, frameDatagram(checkFromRight()));
    expect(heard.length).toBeGreaterThan(0);
    expect(world.tcp.accepted.map(isOpen)).toEqual([true]);
  });

  it.each([
    ['a wrong password', checkFromRight({ pwd: 'wrong-password-of-22-chars' })],
    ['no signature', checkFromRight({ signed: false })],
    ['a request that is no check', requestOf(0x003)],
  ])('closes one with %s without a word, and learns nothing of it', async (_, bytes) => {
    const world = listening();
    const { heard } = await visit(world, Buffer.concat([frameDatagram(bytes), frameDatagram(quic)]));
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
    expect([heard, world.left.packets]).toEqual([[], []]);
    expect(world.left.pump.agent.snapshot()).toMatchObject({ remote: [], pairs: [] });
  });

  it('closes one from an address that takes no part', async () => {
    const world = listening();
    const end = await world.tcp.dial('127.0.0.1', { host: LEFT, port: PORT });
    await end.write(frameDatagram(checkFromRight()));
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
  });

  it('keeps eight connections of one agent: the oldest that answers nothing gives way', async () => {
    const world = listening();
    for (let i = 0; i < 12; i++) await visit(world, frameDatagram(checkFromRight()));
    expect(world.tcp.accepted.map(isOpen)).toEqual([...new Array(4).fill(false), ...new Array(8).fill(true)]);
    expect(typesOf(world.left)).not.toContain('pair.valid');
  });

  it('closes those of them that answer nothing after 5 s, however often they ask', async () => {
    const world = listening();
    const { end } = await visit(world, frameDatagram(checkFromRight()));
    for (let i = 0; i < 4; i++) {
      await world.pass(1200);
      await end.write(frameDatagram(checkFromRight()));
    }
    expect(world.tcp.accepted.map(isOpen)).toEqual([true]);
    await world.pass(300);
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
  });

  it('lets nobody take the place of those whose pairs are valid', async () => {
    const world = listening();
    for (let i = 0; i < 8; i++) answering(await visit(world, frameDatagram(checkFromRight())));
    await world.pass(100);
    expect(typesOf(world.left).filter((type) => type === 'pair.valid')).toHaveLength(8);
    await visit(world, frameDatagram(checkFromRight()));
    await world.pass(6000);
    expect(world.tcp.accepted.map(isOpen)).toEqual([...new Array(8).fill(true), false]);
  });

  it('gives no place to one who only repeats a check, nor to one without the password when all are taken', async () => {
    const world = listening();
    const check = checkFromRight();
    await visit(world, frameDatagram(check));
    const { heard } = await visit(world, frameDatagram(check));
    expect([heard, world.tcp.accepted.map(isOpen)]).toEqual([[], [true, false]]);
    for (let i = 0; i < 7; i++) await visit(world, frameDatagram(checkFromRight()));
    await visit(world, frameDatagram(checkFromRight({ pwd: 'wrong-password-of-22-chars' })));
    expect(world.tcp.accepted.map(isOpen)).toEqual([true, false, ...new Array(7).fill(true), false]);
  });

  it('lets none take the place of a connection that stands', async () => {
    const world = listening();
    for (let i = 0; i < 2; i++) {
      const end = await world.tcp.dial(RIGHT, { host: LEFT, port: PORT, localPort: 5555 });
      await end.write(frameDatagram(checkFromRight()));
    }
    expect(world.tcp.accepted.map(isOpen)).toEqual([true, false]);
  });

  it('knows nobody any more once it is stopped', async () => {
    const world = listening();
    world.left.pump.stop();
    await visit(world, frameDatagram(checkFromRight()));
    expect(world.tcp.accepted.map(isOpen)).toEqual([false]);
    expect(world.left.lobby.counters.unclaimed).toBe(1);
  });
});
