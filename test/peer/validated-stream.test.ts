import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../src/adapters/sim/index.ts';
import type { ByteSocket } from '../../src/core/network.ts';
import type { IceCredentials } from '../../src/protocol/ice/index.ts';
import { type Internet, internet } from '../../src/sim/index.ts';
import { LEFT, RIGHT } from '../protocol/ice/pair-of-agents.ts';
import { StreamSide } from './stream-side.ts';

const quic = Uint8Array.of(0x40, 1, 2, 3);

interface Two {
  readonly world: Internet;
  readonly dialer: StreamSide;
  readonly listener: StreamSide;
  /** The ends of the connection. */
  readonly ends: readonly [ByteSocket, ByteSocket];
}

/** Two sides that are 80 ms apart, and joined by a TCP connection. */
async function joined(theirs: IceCredentials = RIGHT): Promise<Two> {
  const world = internet({ seed: 1 });
  const [a, b] = ['alice', 'bob'].map((name) => simNetwork(world.host(name)));
  const listening = await b!.listen({ port: 7000 });
  const accepted = new Promise<ByteSocket>((resolve) => {
    listening.connections$.subscribe(resolve);
  });
  const near = await world.clock.runUntil(a!.connect({ host: 'bob', port: 7000 }));
  const far = await world.clock.runUntil(accepted);
  await listening.close();
  const side = (role: 'dialer' | 'listener', credentials: { mine: IceCredentials; theirs: IceCredentials }) =>
    new StreamSide({ role, clock: world.clock, random: world.random.stream(role), credentials });
  return {
    world,
    dialer: side('dialer', { mine: LEFT, theirs }),
    listener: side('listener', { mine: RIGHT, theirs: LEFT }),
    ends: [near, far],
  };
}

async function validated(): Promise<Two & { readonly ids: readonly [string, string] }> {
  const two = await joined();
  const { world, dialer, listener, ends } = two;
  const ids = await world.clock.runUntil(Promise.all([dialer.validate(ends[0]), listener.validate(ends[1])]));
  dialer.table.use(ids[0]);
  listener.table.use(ids[1]);
  return { ...two, ids };
}

/** How many sockets the hosts of the world hold. */
const open = (world: Internet): number =>
  ['alice', 'bob'].reduce((sum, name) => sum + world.hostNamed(name).tcp.open, 0);

describe('a TCP connection that both sides validate', () => {
  it('becomes a path of both, which carries packets of the session both ways', async () => {
    const { world, dialer, listener, ids } = await validated();
    expect(dialer.table.current).toMatchObject({
      id: ids[0],
      kind: 'direct',
      transport: 'tcp',
      strategy: 'tcp-simultaneous-open',
      rtt: 80,
    });
    expect(dialer.table.send(quic)).toBe(true);
    expect(listener.table.send(quic)).toBe(true);
    await world.clock.advance(80);
    expect([dialer.received, listener.received]).toEqual([['40010203'], ['40010203']]);
    expect(dialer.preferences[0]).toBeGreaterThan(2 ** 25);
  });

  it('is the connection’s from then on', async () => {
    const { dialer, listener, ends } = await validated();
    expect([dialer.handedOver, listener.handedOver]).toEqual([[ends[0]], [ends[1]]]);
    dialer.abort.abort(new Error('the run is over'));
    expect(dialer.table.send(quic)).toBe(true);
  });

  it('is asked for consent, and lost when nobody answers any more', async () => {
    const { world, dialer, ids } = await validated();
    await world.clock.advance(60_000);
    expect(dialer.lost).toEqual([]);
    world.hostNamed('bob').tcp.deliver = () => true;
    await world.clock.advance(30_000);
    expect(dialer.lost).toEqual([`${ids[0]} unanswered`]);
    expect(dialer.table.current).toBeUndefined();
  });

  it('is asked at once when the path is suspect', async () => {
    const { world, dialer, ids } = await validated();
    world.hostNamed('bob').tcp.deliver = () => true;
    const since = world.clock.now();
    dialer.table.send(quic);
    while (dialer.lost.length === 0) await world.clock.advance(100);
    expect(dialer.lost).toEqual([`${ids[0]} unanswered`]);
    expect(world.clock.now() - since).toBeLessThan(6_000);
  });

  it('ends as a path when the other side closes it', async () => {
    const { world, dialer, listener, ids } = await validated();
    listener.table.remove(ids[1]);
    await world.clock.advance(100);
    expect(dialer.lost).toEqual([`${ids[0]} disconnected`]);
    expect(open(world)).toBe(0);
  });
});

describe('a TCP connection is no path', () => {
  it('where the other side has another password', async () => {
    const { world, dialer, listener, ends } = await joined({ ...RIGHT, pwd: 'another-password-of-22-chars' });
    const results = Promise.allSettled([dialer.validate(ends[0]), listener.validate(ends[1])]);
    const reasons = (await world.clock.runUntil(results)).map((result) => 'reason' in result && result.reason.code);
    expect(reasons).toEqual(['ERR_PUNCH_EXHAUSTED', 'ERR_PUNCH_EXHAUSTED']);
    expect(open(world)).toBe(0);
  });

  it('where somebody else answers, or nobody does', async () => {
    for (const answer of [Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), undefined]) {
      const { world, dialer, ends } = await joined();
      if (answer !== undefined) await ends[1].write(answer);
      const since = world.clock.now();
      await expect(world.clock.runUntil(dialer.validate(ends[0]))).rejects.toMatchObject({
        code: 'ERR_PUNCH_EXHAUSTED',
      });
      expect(world.clock.now() - since).toBeLessThanOrEqual(5000);
      ends[1].destroy();
      await world.clock.advance(100);
      expect(open(world)).toBe(0);
    }
  });

  it('where a listener is sent what is no check: nothing is said to whoever that is', async () => {
    const { world, listener, ends } = await joined();
    await ends[0].write(Buffer.from('00040102030400', 'hex'));
    await expect(world.clock.runUntil(listener.validate(ends[1]))).rejects.toMatchObject({
      code: 'ERR_PUNCH_EXHAUSTED',
    });
    await world.clock.advance(100);
    expect(await world.clock.runUntil(ends[0].read())).toBeNull();
  });

  it('once the run is over: it ends with the reason', async () => {
    const { world, dialer, listener, ends } = await joined();
    const reason = new Error('the race was won');
    const first = listener.validate(ends[1]);
    listener.abort.abort(reason);
    await expect(first).rejects.toBe(reason);
    dialer.abort.abort(reason);
    await expect(dialer.validate(ends[0])).rejects.toBe(reason);
    await world.clock.advance(100);
    expect(open(world)).toBe(0);
  });
});
