import { firstValueFrom } from 'rxjs';
import type { Endpoint } from '../../src/core/endpoint.ts';
import type { Environment } from '../../src/core/environment.ts';
import { pause } from '../../src/core/pause.ts';
import { defaultFlow, type Flow } from '../../src/flows/index.ts';
import type { Connection } from '../../src/peer/connection.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import { simEnvironment } from '../../src/scenario/index.ts';
import { type Internet, internet } from '../../src/sim/index.ts';

/** A simulated internet: the server `meet`, and a home each for the hosts `dialer` and `listener`, behind NATs that let in what was asked for. */
export interface SimulatedVictims {
  readonly world: Internet;
  readonly homes: { readonly dialer: Home; readonly listener: Home };
  /** Where the listener sends SYNs from now on. */
  syns(): readonly Endpoint[];
  /** Two peers that meet by a ticket, in virtual time, until `act` is done with the connection. */
  meet(options: MeetOptions, act: (sides: Sides) => Promise<void>): Promise<void>;
}

type Home = ReturnType<Internet['nat']>;

export interface MeetOptions {
  readonly dialer?: Flow;
  readonly listener?: Flow;
  /** That the dialer makes by the one ticket, of which `act` is given the first; default 1. */
  readonly connections?: number;
  /** Of both. */
  readonly env?: Partial<Environment>;
}

export interface Sides {
  readonly here: Connection;
  readonly there: Connection;
}

export function simulatedVictims(): SimulatedVictims {
  const world = internet({ seed: 3 });
  world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
  const homes = ['dialer', 'listener'].map((name) => {
    const home = world.nat(`home of the ${name}`, { filtering: 'address-and-port-dependent' });
    home.host(name);
    return home;
  });
  const environment = (name: string, more: Partial<Environment> = {}): Environment => ({
    ...simEnvironment(world.hostNamed(name), { servers: ['ws://meet:8790'], mapping: false }),
    ...more,
  });
  return {
    world,
    homes: { dialer: homes[0]!, listener: homes[1]! },
    syns() {
      const seen: Endpoint[] = [];
      world.watch(({ fate, place, packet }) => {
        if (fate !== 'sent' || place !== 'listener' || packet.protocol !== 'tcp') return;
        if (packet.segment.syn && !packet.segment.ack) seen.push(packet.destination);
      });
      return seen;
    },
    meet: ({ dialer = defaultFlow, listener = defaultFlow, connections = 1, env }, act) =>
      world.clock.runUntil(
        (async () => {
          await using there = await createPeer({ env: environment('listener', env), flow: listener });
          await using here = await createPeer({ env: environment('dialer', env), flow: dialer });
          await pause(world.clock, 3_000);
          const ticket = await there.createTicket();
          const dials = Array.from({ length: connections }, () => here.connect(ticket));
          const ready = dials.map((connection) => connection.ready);
          const [incoming] = await Promise.all([firstValueFrom(there.incoming$), ...ready]);
          await act({ here: dials[0]!, there: incoming });
        })(),
      ),
  };
}
