import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../src/adapters/sim/network.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { pause } from '../../src/core/pause.ts';
import { RaceAccounts, ScopedNetwork } from '../../src/flows/index.ts';
import { ProgramNetwork } from '../../src/scenario/program-network.ts';
import { internet } from '../../src/sim/index.ts';

const OWN = '192.0.2.20';
const PEER = '192.0.2.21';

/** A scope on one of two hosts on the internet, and what lies below it. */
function scene(bounds: { readonly packets: number; readonly sockets: number }) {
  const world = internet({
    seed: 1,
    hosts: [
      { name: 'own', interfaces: [{ network: 'internet', addresses: [OWN] }] },
      { name: 'peer', interfaces: [{ network: 'internet', addresses: [PEER] }] },
    ],
  });
  const below = new ProgramNetwork(simNetwork(world.hostNamed('own')));
  const account = new RaceAccounts().open(bounds.packets, []);
  const end = new AbortController();
  const scope = new ScopedNetwork({ network: below, account, sockets: bounds.sockets, signal: end.signal });
  return { world, below, account, end, scope, peer: simNetwork(world.hostNamed('peer')) };
}

describe('the network of one run of a strategy', () => {
  it('counts datagrams both ways, and drops those beyond the bound', async () => {
    const { world, scope, account, peer } = scene({ packets: 3, sockets: 1 });
    await world.clock.runUntil(
      (async () => {
        const other = await peer.udp({ family: 4, port: 7_000 });
        other.datagrams$.subscribe(({ from }) => other.send(Buffer.from('back'), from));
        const socket = await scope.udp({ family: 4 });
        const sent = Array.from({ length: 5 }, () => socket.send(Buffer.from('x'), endpoint(PEER, 7_000)));
        expect(sent).toEqual([true, true, true, false, false]);
        await pause(world.clock, 1_000);
        expect([account.sent, account.received]).toEqual([3, 3]);
        scope.handOver(socket);
        expect(socket.send(Buffer.from('y'), endpoint(PEER, 7_000))).toBe(true);
        await pause(world.clock, 1_000);
        expect([account.sent, account.received]).toEqual([3, 3]);
        expect(scope.closeAll()).toBe(0);
      })(),
      10_000,
    );
  });

  it('has so many sockets open at a time, and each TCP connection counts as a packet', async () => {
    const { world, scope, below, account, peer } = scene({ packets: 2, sockets: 2 });
    await world.clock.runUntil(
      (async () => {
        const listener = await peer.listen({ port: 80 });
        listener.connections$.subscribe();
        const to = { host: PEER, port: 80 };
        const [first, second] = await Promise.all([scope.connect(to), scope.udp({ family: 4 })]);
        for (const more of [scope.connect(to), scope.listen({}), scope.udp({ family: 4 })]) {
          await expect(more).rejects.toMatchObject({ code: 'ERR_BUSY', message: expect.stringContaining('sockets') });
        }
        first.destroy();
        await first.closed;
        await scope.connect(to);
        expect(account.sent).toBe(2);
        second.close();
        await expect(scope.connect(to)).rejects.toMatchObject({ message: expect.stringContaining('packets') });
        expect(scope.closeAll()).toBe(1);
        await pause(world.clock, 1_000);
        expect(below.open).toBe(0);
        await listener.close();
      })(),
      20_000,
    );
  });

  it('refuses connections that come in beyond the bound, and closes listeners and those that were accepted', async () => {
    const { world, scope, below, peer } = scene({ packets: 0, sockets: 2 });
    await world.clock.runUntil(
      (async () => {
        const accepted: unknown[] = [];
        const listener = await scope.listen({ port: 80 });
        listener.connections$.subscribe((socket) => accepted.push(socket));
        const callers = await Promise.all([1, 2].map(() => peer.connect({ host: OWN, port: 80 })));
        await pause(world.clock, 1_000);
        expect(accepted).toHaveLength(1);
        expect(scope.closeAll()).toBe(2);
        await pause(world.clock, 1_000);
        for (const caller of callers) caller.destroy();
        expect(below.open).toBe(0);
      })(),
      20_000,
    );
  });

  it('closes what opens when the run is over', async () => {
    const { world, scope, below, end } = scene({ packets: 1, sockets: 4 });
    await world.clock.runUntil(
      (async () => {
        const late = [scope.udp({ family: 4 }), scope.listen({}), scope.connect({ host: PEER, port: 9 })];
        end.abort(new Error('over'));
        for (const opening of late) await expect(opening).rejects.toThrow();
        await expect(scope.udp({ family: 4 })).rejects.toThrow('over');
        await pause(world.clock, 1_000);
        expect(below.open).toBe(0);
      })(),
      10_000,
    );
  });
});

describe('the accounts of a race', () => {
  it('are shared by its runs, those of races in races too, and begin anew with their machine', () => {
    const accounts = new RaceAccounts();
    const outer = { id: 'punch.race', packets: 5 };
    const inner = { id: 'punch.race.sequence.race', packets: 3 };
    const [one, two] = [accounts.open(10, [outer, inner]), accounts.open(10, [outer])];
    const taken = (account: typeof one): number =>
      Array.from({ length: 10 }, () => account.take()).filter(Boolean).length;
    expect([taken(one), taken(two)]).toEqual([3, 2]);
    expect(taken(accounts.open(10, [outer]))).toBe(0);
    accounts.forget('fallback');
    expect(taken(accounts.open(10, [outer]))).toBe(0);
    accounts.forget('punch');
    expect(taken(accounts.open(4, [outer]))).toBe(4);
  });
});
