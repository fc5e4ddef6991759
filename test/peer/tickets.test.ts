import { filter, firstValueFrom, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { matchesState } from 'xstate';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import type { Clock } from '../../src/core/clock.ts';
import { Deferred } from '../../src/core/deferred.ts';
import type { NetworkInterface } from '../../src/core/network.ts';
import type { SignalingEvent } from '../../src/core/signaling.ts';
import type { Connection } from '../../src/peer/connection.ts';
import type { Dialer } from '../../src/peer/peer.ts';
import { receiveAll, sendAll, streamBetween } from './transfer.ts';
import { codeOf, countingClock, createWorld } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A clock whose calendar is ahead. */
const clockAhead = (ms: number): Clock => {
  const clock = systemClock();
  return { ...clock, wallTime: () => clock.wallTime() + ms };
};

describe('a ticket', () => {
  it('is good for many connections', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket();
    for (let i = 0; i < 3; i++) await dialer.peer.connect(ticket).ready;
  });

  it('stands beside others of the same listener', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const tickets = [await listener.peer.createTicket(), await listener.peer.createTicket()];
    expect(new Set(tickets).size).toBe(2);
    for (const ticket of tickets) await dialer.peer.connect(ticket).ready;
  });

  it('is refused by the dialer itself once it has expired', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant({ env: { clock: clockAhead(25 * HOUR) } });
    const ticket = await listener.peer.createTicket();
    expect(() => dialer.peer.connect(ticket)).toThrow(expect.objectContaining({ code: 'ERR_TICKET_EXPIRED' }));
  });

  it('is refused by a listener whose clock says that it has expired', async () => {
    await using world = createWorld();
    let ahead = 0;
    const clock = systemClock();
    const listener = await world.inhabitant({
      env: { clock: { ...clock, wallTime: () => clock.wallTime() + ahead } },
    });
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket({ ttl: MINUTE });
    ahead = 2 * MINUTE;
    expect(await codeOf(dialer.peer.connect(ticket).ready)).toBe('ERR_TICKET_EXPIRED');
  });

  it('is of no use when the clocks are far apart', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant({ env: { clock: clockAhead(11 * MINUTE) } });
    const connection = dialer.peer.connect(await listener.peer.createTicket());
    expect(await codeOf(connection.ready)).toBe('ERR_OFFER_EXPIRED');
  });

  it('of an earlier run of the same listener is refused', async () => {
    await using world = createWorld();
    const identity = createIdentity();
    const earlier = await world.inhabitant({ identity });
    const ticket = await earlier.peer.createTicket();
    await earlier.peer.close();
    const later = await world.inhabitant({ identity });
    await later.peer.createTicket();
    const dialer = await world.inhabitant();
    expect(await codeOf(dialer.peer.connect(ticket).ready)).toBe('ERR_TICKET_REJECTED');
  });

  it('that is damaged is refused at once', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const { peer } = await world.inhabitant();
    const ticket = await listener.peer.createTicket();
    const malformed = expect.objectContaining({ code: 'ERR_TICKET_MALFORMED' });
    expect(() => peer.connect(ticket.slice(0, -1))).toThrow(malformed);
    expect(() => peer.connect('')).toThrow(malformed);
  });
});

describe('a ticket for one connection', () => {
  it('is burnt by the first', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialers = [await world.inhabitant(), await world.inhabitant()] as const;
    const ticket = await listener.peer.createTicket({ once: true });
    const first = dialers[0].peer.connect(ticket);
    await first.ready;
    const second = dialers[1].peer.connect(ticket);
    expect(await codeOf(second.ready)).toBe('ERR_TICKET_REJECTED');
    expect((await second.verdict).outcome).toBe('failed');
    await first.close();
    expect(await codeOf(dialers[1].peer.connect(ticket).ready)).toBe('ERR_TICKET_REJECTED');
  });

  it('lets one of many in that come at once, and tells the others', async () => {
    await using world = createWorld({ latency: 5 });
    const listener = await world.inhabitant();
    const ticket = await listener.peer.createTicket({ once: true });
    const dialers = await Promise.all(Array.from({ length: 4 }, () => world.inhabitant()));
    const incoming: Connection[] = [];
    listener.peer.incoming$.subscribe((connection) => incoming.push(connection));
    const dialed = dialers.map(({ peer }) => peer.connect(ticket));
    const codes = await Promise.all(dialed.map(({ ready }) => codeOf(ready)));
    expect(codes.sort()).toEqual(['ERR_TICKET_REJECTED', 'ERR_TICKET_REJECTED', 'ERR_TICKET_REJECTED', 'fulfilled']);
    expect(incoming).toHaveLength(1);
    const winner = dialed.find(({ id }) => id === incoming[0]!.id)!;
    const [opened, accepted] = await streamBetween(winner, incoming[0]!);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, Uint8Array.of(7))]);
    expect([...received]).toEqual([7]);
  });

  it('is not burnt by an attempt that failed', async () => {
    await using world = createWorld();
    const asked = new Deferred();
    const listener = await world.inhabitant({
      policy: 'direct-only',
      accept() {
        asked.resolve();
        return true;
      },
    });
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket({ once: true });
    dialer.network.traffic = 'drop';
    const failed = dialer.peer.connect(ticket);
    await asked.promise;
    await failed.close();
    dialer.network.traffic = 'pass';
    await dialer.peer.connect(ticket).ready;
  });
});

describe('accept', () => {
  it('is asked with the dialer’s key and its ticket', async () => {
    await using world = createWorld();
    const asked: Dialer[] = [];
    const listener = await world.inhabitant({ accept: (dialer) => asked.push(dialer) === 1 });
    const dialer = await world.inhabitant();
    const ticket = await listener.peer.createTicket();
    await dialer.peer.connect(ticket).ready;
    expect(asked).toEqual([{ key: dialer.peer.key, ticket }]);
  });

  it.each<[string, () => boolean | Promise<boolean>]>([
    ['false', () => false],
    ['a promise of false', async () => false],
    ['a rejection', () => Promise.reject(new Error('the list of friends cannot be read'))],
    [
      'an exception',
      () => {
        throw new Error('the list of friends cannot be read');
      },
    ],
  ])('keeps a dialer out by %s', async (_, accept) => {
    await using world = createWorld();
    const listener = await world.inhabitant({ accept });
    let surfaced = 0;
    listener.peer.incoming$.subscribe(() => surfaced++);
    const dialer = await world.inhabitant();
    const connection = dialer.peer.connect(await listener.peer.createTicket());
    expect(await codeOf(connection.ready)).toBe('ERR_OFFER_REJECTED');
    expect(await connection.verdict).toMatchObject({ outcome: 'failed', code: 'ERR_OFFER_REJECTED', paths: [] });
    expect(surfaced).toBe(0);
  });

  it('that answers after the peer was closed lets nobody in', async () => {
    await using world = createWorld();
    const asked = new Deferred();
    const answered = new Deferred<boolean>();
    const { clock, pending } = countingClock();
    const { peer } = await world.inhabitant({
      env: { clock },
      accept() {
        asked.resolve();
        return answered.promise;
      },
    });
    const dialer = await world.inhabitant();
    const connection = dialer.peer.connect(await peer.createTicket());
    await asked.promise;
    await peer.close();
    answered.resolve(true);
    expect(await codeOf(connection.ready)).toBe('ERR_PEER_GONE');
    expect(pending()).toBe(0);
  });
});

describe('createTicket', () => {
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a life of %s ms', async (ttl) => {
    await using world = createWorld();
    const { peer } = await world.inhabitant();
    expect(await codeOf(peer.createTicket({ ttl }))).toBe('ERR_USAGE');
  });

  it('needs a server that can be reached', async () => {
    await using world = createWorld();
    const nowhere = await world.inhabitant({ env: { servers: [] } });
    expect(await codeOf(nowhere.peer.createTicket())).toBe('ERR_USAGE');
    world.rendezvous.stop();
    const alone = await world.inhabitant();
    expect(await codeOf(alone.peer.createTicket())).toBe('ERR_SERVER_UNREACHABLE');
  });

  it('fails where the server refuses the registration, whatever it says of sessions', async () => {
    await using world = createWorld();
    const { peer } = await world.inhabitant({
      env: {
        signaling() {
          const carrier = world.rendezvous.signaling();
          const said = new Subject<SignalingEvent>();
          const register = (): void => {
            said.next({ type: 'error', code: 'ERR_BUSY', message: 'too many offers', session: new Uint8Array(16) });
            said.next({ type: 'error', code: 'ERR_SERVER_REFUSED', message: 'the server calls itself x' });
          };
          return { ...carrier, register, events$: said };
        },
      },
    });
    expect(await codeOf(peer.createTicket())).toBe('ERR_SERVER_REFUSED');
    expect(await codeOf(peer.register())).toBe('ERR_SERVER_REFUSED');
  });

  it('fails for one whose identity another process has registered, and that one stays away', async () => {
    await using world = createWorld();
    const identity = createIdentity();
    const interfaces = [{ name: 'lo', address: '127.0.0.1', family: 4, internal: true }] as NetworkInterface[];
    const network = { ...nodeNetwork(), interfaces: () => [...interfaces] };
    const second = await world.inhabitant({ identity });
    // Comes back to the server last, so it would take over again.
    const first = await world.inhabitant({ identity, env: { network } });
    await first.peer.createTicket();
    const replaced = firstValueFrom(
      first.peer.state$.pipe(filter((state) => matchesState({ open: { rendezvous: 'replaced' } }, state))),
    );
    const ticket = await second.peer.createTicket();
    await replaced;
    expect(await codeOf(first.peer.createTicket())).toBe('ERR_REGISTRATION_REPLACED');

    interfaces.push({ name: 'lo', address: '127.0.0.2', family: 4, internal: true });
    const changed = firstValueFrom(
      first.peer.reachability$.pipe(
        filter(({ candidates }) => candidates.some(({ endpoint }) => endpoint.address === '127.0.0.2')),
      ),
    );
    const [carrier] = second.carriers;
    const registered = firstValueFrom(carrier!.events$.pipe(filter(({ type }) => type === 'registered')));
    world.rendezvous.stop();
    world.rendezvous.start();
    await Promise.all([changed, registered]);
    const dialer = await world.inhabitant();
    await dialer.peer.connect(ticket).ready;
  });

  it.each([
    ['no server has answered yet', 10],
    ['the registration is under way', 0],
  ])('fails when the peer is closed while %s', async (_, latency) => {
    await using world = createWorld({ latency });
    const { peer } = await world.inhabitant();
    if (latency === 0) {
      await firstValueFrom(
        peer.state$.pipe(filter((state) => matchesState({ open: { rendezvous: 'online' } }, state))),
      );
    }
    const ticket = codeOf(peer.createTicket());
    await peer.close();
    expect(await ticket).toBe('ERR_CLOSED');
    expect(await codeOf(peer.createTicket())).toBe('ERR_CLOSED');
  });
});
