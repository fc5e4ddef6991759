import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../src/adapters/sim/index.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import type { ByteSocket } from '../../src/core/network.ts';
import { ProgramNetwork } from '../../src/scenario/program-network.ts';
import { internet } from '../../src/sim/index.ts';

/** A program on one host, and another one on a second, which do not count each other's sockets. */
function programs() {
  const world = internet({ seed: 1 });
  const alice = world.host('alice', { addresses: ['203.0.113.9'] });
  const bob = world.host('bob');
  const [own, neighbour, remote] = [alice, alice, bob].map((host) => new ProgramNetwork(simNetwork(host)));
  return { world, alice, own: own!, neighbour: neighbour!, remote: remote! };
}

describe('ProgramNetwork', () => {
  it('is the network of its host', async () => {
    const { alice, own, remote } = programs();
    expect(own.interfaces()).toEqual(simNetwork(alice).interfaces());
    expect(await own.gateways()).toEqual(await simNetwork(alice).gateways());
    expect(await remote.resolve('alice', { family: 4 })).toEqual(['203.0.113.9']);
  });

  it('counts UDP sockets that the program has open', async () => {
    const { own, neighbour } = programs();
    await neighbour.udp({ family: 4 });
    const socket = await own.udp({ family: 4 });
    expect(socket.send(new Uint8Array(1), endpoint('203.0.113.9', 9))).toBe(true);
    expect([own.open, neighbour.open]).toEqual([1, 1]);
    socket.close();
    expect([own.open, neighbour.open]).toEqual([0, 1]);
  });

  it('counts listeners and connections, those that were let in and those under way too', async () => {
    const { world, own, neighbour, remote } = programs();
    const listener = await own.listen({ port: 80 });
    const accepted: ByteSocket[] = [];
    listener.connections$.subscribe((socket) => accepted.push(socket));
    const connecting = remote.connect({ host: 'alice', port: 80 });
    expect([own.open, remote.open]).toEqual([1, 1]);
    const connection = await world.clock.runUntil(connecting);
    await world.clock.advance(1_000);
    expect([own.open, remote.open, neighbour.open]).toEqual([2, 1, 0]);
    connection.destroy();
    accepted[0]!.destroy();
    await world.clock.advance(1_000);
    expect([own.open, remote.open]).toEqual([1, 0]);
    await listener.close();
    expect(own.open).toBe(0);
  });

  it('counts a listener that nobody has subscribed to until it is closed, and refuses connections to it as ever', async () => {
    const { world, own, remote } = programs();
    const listener = await own.listen({ port: 80 });
    const connection = await world.clock.runUntil(remote.connect({ host: 'alice', port: 80 }));
    expect(await world.clock.runUntil(connection.read())).toBeNull();
    expect(own.open).toBe(1);
    await listener.close();
    expect(own.open).toBe(0);
  });

  it('does not count an attempt that has failed', async () => {
    const { world, remote } = programs();
    const refused = remote.connect({ host: 'alice', port: 80 });
    await expect(world.clock.runUntil(refused)).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
    expect(remote.open).toBe(0);
  });

  it('counts nothing that a restart of the host has closed', async () => {
    const { world, own, remote } = programs();
    await own.udp({ family: 4 });
    const listener = await own.listen({ port: 80 });
    listener.connections$.subscribe();
    await world.clock.runUntil(remote.connect({ host: 'alice', port: 80 }));
    await world.clock.advance(1_000);
    expect(own.open).toBe(3);
    world.happen({ type: 'restart', host: 'alice' });
    await world.clock.advance(1_000);
    expect(own.open).toBe(0);
  });
});
