import { describe, expect, it } from 'vitest';
import { internet, type TcpSocket } from '../../../src/sim/index.ts';
import { ServedClient } from '../../../src/sim/services/served-client.ts';
import { WebSocketConnection } from '../../../src/sim/websocket/connection.ts';
import { encodeFrame, type Frame } from '../../../src/sim/websocket/frame.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { dial } from './raw-client.ts';

/** Both ends of a connection, 40 ms apart, after the upgrade. */
async function pair() {
  const world = internet({ seed: 1 });
  const { clock } = world;
  const server = world.host('server');
  const accepted = new Promise<TcpSocket>((resolve) => server.tcp.listen({ port: 80 }, resolve));
  const stream = await clock.runUntil(dial(world.host('client'), server, 80));
  const rest = new Uint8Array(0);
  const frames: (string | Uint8Array)[] = [];
  const ends: boolean[] = [];
  const served = new ServedClient(
    { stream: await clock.runUntil(accepted), role: 'server', clock, rest },
    { onFrame: (frame) => frames.push(frame), onEnd: (silent) => ends.push(silent) },
  );
  const ignore = (): void => {};
  const events = { onMessage: ignore, onControl: ignore, onEnd: ignore };
  /** From then on pings are answered. */
  const join = (): WebSocketConnection => new WebSocketConnection({ stream, role: 'client', clock, rest }, events);
  return { world, clock, stream, served, join, frames, ends };
}

describe('a client of a rendezvous service', () => {
  it('is not read from for 100 ms when it is held', async () => {
    const { clock, served, join, frames } = await pair();
    const client = join();
    client.send('first');
    await clock.advance(50);
    served.hold();
    served.hold();
    for (let i = 0; i < 100; i++) client.send(filled(1_200, i));
    await clock.advance(99);
    expect(frames).toEqual(['first']);
    await clock.advance(200);
    expect(frames).toHaveLength(101);
  });

  it('is kept for as long as it answers pings, and ended as silent when it does not', async () => {
    const { world, clock, served, join, ends } = await pair();
    join();
    for (let i = 0; i < 3; i++) {
      served.probe();
      await clock.advance(1_000);
    }
    served.probe();
    world.hostNamed('client').stop();
    await clock.advance(1_000);
    expect(ends).toEqual([]);
    served.probe();
    expect(ends).toEqual([true]);
  });

  it.each<Frame>([{ type: 'text', text: 'hello' }, { type: 'binary', bytes: filled(9, 1) }, { type: 'ping' }])(
    'is alive by a $type too',
    async (frame) => {
      const { clock, stream, served, ends } = await pair();
      for (let i = 0; i < 3; i++) {
        served.probe();
        await stream.write(encodeFrame(frame, 'client'));
        await clock.advance(1_000);
      }
      expect(ends).toEqual([]);
    },
  );

  it('is not silent when it goes by itself', async () => {
    const { clock, join, ends } = await pair();
    join().close(1000, '');
    await clock.advance(100);
    expect(ends).toEqual([false]);
  });

  it('is forgotten without a word, and without a timer', async () => {
    const { world, clock, served, ends } = await pair();
    served.hold();
    expect(clock.pending).toBe(1);
    world.hostNamed('server').stop();
    served.forget();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    expect(ends).toEqual([]);
  });
});
