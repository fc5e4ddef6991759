import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { releaseAll, session } from './raw-client.ts';
import { closeFrame, frame } from './raw-frames.ts';
import { world } from './world.ts';

afterEach(releaseAll);

const TEXT = 0x1;
const BINARY = 0x2;
const CONTINUATION = 0x0;
const PING = 0x9;
const PONG = 0xa;

describe('a WebSocket that', () => {
  it.each<[string, Buffer, number]>([
    ['sends a text of more than 192 KiB', frame(TEXT, Buffer.alloc(0), { length: 192 * 1024 + 1 }), 1009],
    ['announces 2^53 bytes', frame(BINARY, Buffer.alloc(0), { length: 2 ** 53 }), 1009],
    [
      'sends fragments of more than 192 KiB',
      Buffer.concat([frame(TEXT, Buffer.alloc(192 * 1024), { fin: false }), frame(CONTINUATION, Buffer.alloc(1))]),
      1009,
    ],
    ['sends frames that are not masked', frame(TEXT, Buffer.from('{}'), { masked: false }), 1002],
    ['sends compressed frames', frame(TEXT, Buffer.from('{}'), { reserved: 0x40 }), 1002],
    ['sends an opcode that does not exist', frame(0x3, Buffer.alloc(1)), 1002],
    ['sends a control frame in fragments', frame(PING, Buffer.alloc(1), { fin: false }), 1002],
    ['sends a long control frame', frame(PING, Buffer.alloc(126)), 1002],
    ['goes on with what it has not begun', frame(CONTINUATION, Buffer.alloc(1)), 1002],
    ['sends text that is no UTF-8', frame(TEXT, Buffer.from([0xff])), 1007],
    [
      'sends a message in more than 64 pieces',
      Buffer.concat([
        frame(TEXT, Buffer.alloc(0), { fin: false }),
        ...Array.from({ length: 64 }, () => frame(CONTINUATION, Buffer.alloc(0), { fin: false })),
      ]),
      1008,
    ],
  ])('%s is told so and cut off', async (_name, bytes, code) => {
    const { clock, server, webSocket, work } = await world();
    const { socket, ended, until } = await webSocket();
    socket.write(bytes);
    await until(String.fromCharCode(code >> 8, code & 0xff));
    // It does not confirm the end.
    clock.advance(1_000);
    expect(closeFrame(await ended)).toMatchObject({ code });
    await work();
    expect(server.counters().offences.frames).toBe(1);
  });

  it.each([PING, PONG])('floods with control frames (%#) is cut off', async (opcode) => {
    const { clock, server, webSocket, work } = await world({ pings: { rate: 1, burst: 20 } });
    const { socket, ended, until } = await webSocket();
    socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame(opcode, Buffer.alloc(4)))));
    await until('too many pings');
    clock.advance(1_000);
    expect(closeFrame(await ended)).toEqual({ code: 1008, reason: 'too many pings' });
    expect(server.counters().offences).toEqual({ frames: 0, pings: 1, message: 0 });
    await work();
  });

  it.each([
    ['text', TEXT, 'too many frames that were refused'],
    ['binary', BINARY, 'too many binary frames that are no datagrams'],
  ])('floods with empty %s frames is cut off', async (_name, opcode, reason) => {
    const { clock, server, webSocket, work } = await world({ refusals: { rate: 1, burst: 10 } });
    const { socket, ended, until } = await webSocket();
    socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame(opcode, Buffer.alloc(0)))));
    await until(reason);
    clock.advance(1_000);
    expect(closeFrame(await ended)).toEqual({ code: 1008, reason });
    expect(server.counters()).toMatchObject({ cutOff: 1, clients: 2 });
    await work();
  });

  it('sends datagrams that are too long is not told, loses them, and is cut off in the end', async () => {
    const { clock, server, webSocket, work } = await world({ refusals: { rate: 1, burst: 10 } });
    const { socket, ended, text, until } = await webSocket();
    const greeted = text().length;
    const long = frame(BINARY, Buffer.concat([Buffer.from([1]), session, Buffer.alloc(1_501)]));
    for (let i = 0; i < 11; i++) socket.write(long);
    await until('no datagrams');
    clock.advance(1_000);
    expect(closeFrame(await ended)).toMatchObject({ code: 1008 });
    expect(text().length - greeted).toBeLessThan(64);
    expect(server.counters().dropped.malformed).toBe(11);
    await work();
  });

  it('floods with what cannot be relayed is cut off', async () => {
    const { clock, server, webSocket, work } = await world({ drops: { rate: 1, burst: 50 } });
    const { socket, ended, until } = await webSocket();
    const lost = frame(BINARY, Buffer.concat([Buffer.from([1]), Buffer.alloc(16, 9), Buffer.alloc(1_200)]));
    socket.write(Buffer.concat(Array.from({ length: 60 }, () => lost)));
    await until('cannot be relayed');
    clock.advance(1_000);
    expect(closeFrame(await ended)).toMatchObject({ code: 1008 });
    expect(server.counters().dropped.unknown).toBe(51);
    await work();
  });

  it('never completes a message is cut off, pings or not', async () => {
    const { clock, server, webSocket, work } = await world({ messageFor: 20_000 });
    const { socket, ended, until } = await webSocket();
    socket.write(frame(TEXT, Buffer.alloc(100_000), { fin: false }));
    socket.write(frame(PING, Buffer.from('read')));
    await until('read');
    expect(server.counters().begunBytes).toBe(100_014);
    clock.advance(19_999);
    socket.write(frame(PING, Buffer.from('still')));
    await until('still');
    expect(server.counters().offences.message).toBe(0);
    clock.advance(1_001);
    expect(closeFrame(await ended)).toEqual({ code: 1008, reason: 'a message took too long' });
    expect(server.counters()).toMatchObject({ begunBytes: 0, offences: { message: 1 } });
    await work();
  });

  it('takes its time with one message after the other is left alone', async () => {
    const { clock, server, webSocket, until } = await slowWriter();
    const { socket } = webSocket;
    const half = frame(TEXT, Buffer.from('{}'));
    for (let i = 0; i < 3; i++) {
      socket.write(half.subarray(0, 4));
      clock.advance(5_000);
      socket.write(half.subarray(4));
      await until(i + 1);
    }
    expect(server.counters().offences.message).toBe(0);
  });

  it('begins messages with many others may not have more than 4 KiB of them', async () => {
    const { clock, server, webSocket, work } = await world({ begunBytes: 300_000 });
    const begun = frame(TEXT, Buffer.alloc(150_000), { fin: false });
    const [first, second] = [await webSocket(), await webSocket()];
    first.socket.write(Buffer.concat([begun, frame(PING, Buffer.from('read'))]));
    await first.until('read');
    second.socket.write(begun);
    await second.until('unfinished');
    clock.advance(1_000);
    expect(closeFrame(await second.ended)).toEqual({ code: 1008, reason: 'too many unfinished messages' });
    expect(first.socket.destroyed).toBe(false);
    expect(server.counters().begunBytes).toBe(150_014);
    await work();
  });

  it('says a message byte by byte costs no more pieces than 1,024', async () => {
    const { clock, webSocket, work } = await world();
    const { socket, ended, until } = await webSocket();
    socket.write(frame(TEXT, Buffer.alloc(0), { length: 5_000 }));
    const told = until('Too many');
    /** The server's turn comes between two of ours, so that it reads each byte by itself. */
    const sayOne = async (): Promise<boolean> => {
      await new Promise((resolve) => socket.write('x', resolve));
      return new Promise((resolve) => setImmediate(resolve, false));
    };
    for (let said = 0; said < 5_000 && !(await Promise.race([told, sayOne()])); said++);
    clock.advance(1_000);
    expect(closeFrame(await ended)).toMatchObject({ code: 1008 });
    await work();
  });
});

/** A world with a WebSocket whose nonsense is answered; `until(n)` fulfils with the n-th answer. */
async function slowWriter() {
  const { clock, server, webSocket } = await world({ messageFor: 6_000 });
  const raw = await webSocket();
  const answers = (): number => raw.text().split('ERR_PROTOCOL').length - 1;
  return {
    clock,
    server,
    webSocket: raw,
    async until(n: number) {
      while (answers() < n) await once(raw.socket, 'data');
    },
  };
}
