import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { frameDatagram } from '../../../src/protocol/framing/frame.ts';
import { createFramedSocket } from '../../../src/streams/framed-socket.ts';
import { memoryConnection } from './memory-tcp.ts';

function setUp() {
  const [near, far] = memoryConnection(endpoint('198.51.100.1', 40_000), endpoint('203.0.113.1', 7000));
  const framed = createFramedSocket(near);
  const heard: string[] = [];
  framed.datagrams$.subscribe({
    next: (datagram) => heard.push(Buffer.from(datagram).toString('hex')),
    error: (error: { code: string }) => heard.push(error.code),
    complete: () => heard.push('complete'),
  });
  const received: Uint8Array[] = [];
  far.bytes$.subscribe({ next: (bytes) => received.push(bytes), error: () => {} });
  return { near, far, framed, heard, received };
}

const packet = (length: number): Uint8Array => new Uint8Array(length).fill(0x40);

describe('datagrams over TCP', () => {
  it('go out in frames and come in out of them', async () => {
    const { framed, far, heard, received } = setUp();
    expect(framed.send(Uint8Array.of(1, 2))).toBe(true);
    await far.write(frameDatagram(Uint8Array.of(3)));
    expect(received).toEqual([Uint8Array.of(0, 2, 1, 2)]);
    expect(heard).toEqual(['03']);
  });

  it('drops the newest beyond 64 KiB that wait to be written, and takes more when they are', async () => {
    const { framed, near, received } = setUp();
    near.taking = false;
    const taken = Array.from({ length: 1000 }, () => framed.send(packet(1200)));
    const first = taken.filter(Boolean).length;
    expect(first).toBe(Math.floor((64 * 1024) / 1202));
    expect(taken.lastIndexOf(true)).toBe(first - 1);
    near.taking = true;
    await expect.poll(() => received.length).toBe(first);
    expect(framed.send(packet(1200))).toBe(true);
  });

  it('keeps room for checks in a full queue, and not without bound', () => {
    const { framed, near } = setUp();
    near.taking = false;
    while (framed.send(packet(1200)));
    const checks = Array.from({ length: 1000 }, () => framed.sendCheck(packet(100))).filter(Boolean).length;
    expect(checks).toBeGreaterThanOrEqual(40);
    expect(checks).toBeLessThanOrEqual(52);
    expect(framed.send(packet(10))).toBe(false);
  });

  it('drops what fits no frame', () => {
    expect(setUp().framed.send(packet(1501))).toBe(false);
  });

  it('ends the connection at a frame that is too long', async () => {
    const { framed, near, far, heard } = setUp();
    await far.write(Uint8Array.of(0, 1, 7, 0xff, 0xff));
    expect(heard).toEqual(['ERR_DECODE']);
    expect(near.destroyed).toBe(true);
    expect(framed.send(Uint8Array.of(1))).toBe(false);
  });

  it.each([
    ['by this side', ({ framed }: ReturnType<typeof setUp>) => framed.close(), 'complete'],
    ['by the other side', ({ far }: ReturnType<typeof setUp>) => far.destroy(), 'complete'],
    ['by the network', ({ near }: ReturnType<typeof setUp>) => near.break(), 'ERR_CONNECTION_RESET'],
  ])('ends %s', (_, end, said) => {
    const world = setUp();
    end(world);
    expect(world.heard).toEqual([said]);
    expect(world.near.destroyed).toBe(true);
    expect(world.framed.send(Uint8Array.of(1))).toBe(false);
  });

  it('gives nothing more of a chunk whose first datagram made the reader close', async () => {
    const { framed, far, heard } = setUp();
    framed.datagrams$.subscribe(() => framed.close());
    await far.write(Buffer.concat([frameDatagram(Uint8Array.of(1)), frameDatagram(Uint8Array.of(2))]));
    expect(heard).toEqual(['01', 'complete']);
  });
});
