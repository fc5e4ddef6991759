import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import { type Internet, internet } from '../../src/sim/index.ts';
import { PACKET, type ProbingSide, type ProbingSideOptions, twoSides } from './probing-side.ts';

/** Two sides, the near one with a socket beside its own. */
interface Two {
  readonly world: Internet;
  readonly near: ProbingSide;
  readonly far: ProbingSide;
  readonly socket: DatagramSocket;
  readonly at: Endpoint;
}

async function meet(options: ProbingSideOptions & { readonly far?: 'answers' | 'is silent' } = {}): Promise<Two> {
  const world = internet({ seed: 1 });
  const [near, far] = await twoSides(world, options);
  if (options.far !== 'is silent') far.ice.hearChecks(() => {});
  const socket = await world.clock.runUntil(near.network.udp({ family: 4 }));
  return { world, near, far, socket, at: endpoint(near.address, socket.local.port) };
}

/** The socket has been validated, and is a path of both sides. */
async function joined(options?: ProbingSideOptions): Promise<Two & { readonly id: string }> {
  const two = await meet(options);
  const { world, near, far, socket } = two;
  const id = await world.clock.runUntil(near.validate({ socket, remote: far.at }));
  await world.clock.advance(80);
  near.table.use(id);
  far.table.use(far.paths[0]!.info.id);
  return { ...two, id };
}

describe('a socket that is validated', () => {
  it('becomes a path of the strategy, and one of the other side’s own socket', async () => {
    const { near, far, at, id } = await joined();
    expect(near.table.current).toMatchObject({ id, kind: 'direct', transport: 'udp', strategy: 'guess', rtt: 80 });
    expect(near.table.current?.remote).toBe(formatEndpoint(far.at));
    expect(far.table.current).toMatchObject({ strategy: 'checks', remote: formatEndpoint(at) });
  });

  it('carries packets of the session both ways', async () => {
    const { world, near, far } = await joined();
    expect(near.table.send(PACKET)).toBe(true);
    await world.clock.advance(40);
    expect(far.table.send(PACKET)).toBe(true);
    await world.clock.advance(40);
    expect(
      [near.received, far.received].map((packets) => packets.map((bytes) => Buffer.compare(bytes, PACKET))),
    ).toEqual([[0], [0]]);
    expect(near.table.lastHeard).toBe(near.table.current);
  });

  it('takes packets of the session from elsewhere, too, and no path for proven by them', async () => {
    const { world, near, far, at } = await joined();
    const other = await world.clock.runUntil(far.network.udp({ family: 4 }));
    other.send(PACKET, at);
    await world.clock.advance(40);
    expect(near.received).toHaveLength(1);
    expect(near.table.lastHeard).toBeUndefined();
  });

  it('is the connection’s: it outlives the run, and closes with its path', async () => {
    const { world, near, far, socket, id } = await joined();
    expect(near.handedOver).toEqual([socket]);
    near.abort.abort(new Error('the run is over'));
    expect(near.table.send(PACKET)).toBe(true);
    near.table.remove(id);
    expect(socket.send(PACKET, far.at)).toBe(false);
    await world.clock.advance(60_000);
    expect(near.lost).toEqual([]);
    // Whoever is left asks for consent in vain.
    expect(far.lost).toEqual([expect.stringContaining('unanswered')]);
  });

  it('is asked for consent, and lost when nobody answers any more', async () => {
    const { world, near, far, id } = await joined();
    await world.clock.advance(60_000);
    expect(near.lost).toEqual([]);
    far.ice.stop();
    await world.clock.advance(20_000);
    expect(near.lost).toEqual([`${id} unanswered`]);
  });

  it('is asked at once when the path is suspect', async () => {
    const { world, near, far, id } = await joined();
    far.ice.stop();
    near.table.send(PACKET);
    await world.clock.advance(6_000);
    expect(near.lost).toEqual([`${id} unanswered`]);
  });

  it('is a path still when the checks of the other side had long failed', async () => {
    const { world, near, far, socket, at } = await meet();
    far.ice.addRemote([
      { type: 'srflx', endpoint: endpoint('203.0.113.99', 5), priority: 1, foundation: '1', transport: 'udp' },
    ]);
    const checks = far.ice.findPath().catch((error: { code: string }) => error.code);
    await world.clock.advance(30_000);
    expect(await checks).toBe('ERR_PUNCH_EXHAUSTED');
    await world.clock.runUntil(near.validate({ socket, remote: far.at }));
    await world.clock.advance(80);
    expect(far.paths.map(({ info }) => info.remote)).toEqual([formatEndpoint(at)]);
  });
});

describe('a socket that is not', () => {
  it('stays the run’s where nobody answers for 5 s', async () => {
    const { world, near, far, socket } = await meet({ far: 'is silent' });
    const from = world.clock.now();
    const failed = near.validate({ socket, remote: far.at });
    await expect(world.clock.runUntil(failed)).rejects.toMatchObject({ code: 'ERR_PUNCH_EXHAUSTED' });
    expect(world.clock.now() - from).toBe(5_000);
    expect([near.handedOver, near.paths]).toEqual([[], []]);
    expect(socket.send(PACKET, far.at)).toBe(true);
  });

  it('is no path where who answers has another password', async () => {
    const { world, near, far, socket } = await meet({
      theirs: { ufrag: 'RRRR', pwd: 'a password that is not the right one' },
    });
    const failed = near.validate({ socket, remote: far.at });
    await expect(world.clock.runUntil(failed)).rejects.toMatchObject({ code: 'ERR_PUNCH_EXHAUSTED' });
    expect(far.paths).toEqual([]);
  });

  it('is let go of when the run is over', async () => {
    const { world, near, far, socket } = await meet({ far: 'is silent' });
    const failed = near.validate({ socket, remote: far.at });
    near.abort.abort(new Error('it lost the race'));
    await expect(failed).rejects.toThrow('it lost the race');
    await expect(near.validate({ socket, remote: far.at })).rejects.toThrow('it lost the race');
    far.ice.hearChecks(() => {});
    await world.clock.advance(10_000);
    expect([near.paths, far.paths]).toEqual([[], []]);
  });

  it('has failed as soon as it is closed', async () => {
    const { world, near, far, socket } = await meet({ far: 'is silent' });
    const failed = near.validate({ socket, remote: far.at });
    socket.close();
    await expect(world.clock.runUntil(failed)).rejects.toMatchObject({ code: 'ERR_PUNCH_EXHAUSTED' });
    expect(near.paths).toEqual([]);
  });
});

describe('an address that is validated from the peer’s own socket', () => {
  it('becomes a path of the connection’s agent, with the strategy’s name', async () => {
    const { world, near, far } = await meet();
    const id = await world.clock.runUntil(near.validate({ remote: far.at }));
    expect(near.paths.map(({ info }) => info)).toEqual([
      expect.objectContaining({ id, strategy: 'guess', remote: formatEndpoint(far.at) }),
    ]);
    expect(await near.validate({ remote: far.at })).toBe(id);
  });

  it('is not what whoever waits for the checks has found', async () => {
    const { world, near, far } = await meet();
    let found = false;
    near.ice.findPath().then(
      () => {
        found = true;
      },
      () => {},
    );
    await world.clock.runUntil(near.validate({ remote: far.at }));
    await world.clock.advance(1_000);
    expect(found).toBe(false);
  });

  it('is given up after 5 s, and when the run is over', async () => {
    const { world, near, far } = await meet({ far: 'is silent' });
    const failed = near.validate({ remote: far.at });
    await expect(world.clock.runUntil(failed)).rejects.toMatchObject({ code: 'ERR_PUNCH_EXHAUSTED' });
    const ended = near.validate({ remote: far.at });
    near.abort.abort(new Error('it lost the race'));
    await expect(ended).rejects.toThrow('it lost the race');
  });

  it('is forgotten with the generation of checks', async () => {
    const { near, far } = await meet({ far: 'is silent' });
    const failed = near.validate({ remote: far.at });
    near.ice.restart(1);
    await expect(failed).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
