import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Signaling } from '../../src/core/signaling.ts';
import { createRendezvousEngine, type EngineAction } from '../../src/protocol/rendezvous/index.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeFrame,
  type ServerFrame,
} from '../../src/protocol/rendezvous/wire.ts';
import { type Carrier, createCarrier } from '../../src/streams/carrier.ts';

/** Control as text, relayed datagrams as bytes. */
export type Frame = string | Uint8Array;

/** A frame in the attacker's hands, between a client and the honest part of the server. */
export interface Crossing {
  readonly client: string;
  readonly direction: 'up' | 'down';
  readonly frame: Frame;
  /** What the frame says, unless it carries a datagram. */
  readonly control: ClientFrame | ServerFrame | undefined;
}

/** What goes on instead of a frame, in this order; `undefined`: the frame as it is. */
export type Meddler = (crossing: Crossing) => readonly Frame[] | undefined;

/** A rendezvous server whose owner reads, alters, drops, delays, repeats and invents frames. */
export interface MaliciousRendezvous {
  /** A client's way in; `client` is what the attacker calls it. */
  signaling(client: string): Signaling;
  /** All that clients and server have said, as they said it. */
  readonly seen: readonly Crossing[];
  /** Lets everything pass by default. */
  meddle: Meddler;
  /** Frames that did not go on as they were. */
  readonly meddled: number;
  /** Says something to a client in the server's name; fulfils when the client has heard it, or has left. */
  tell(client: string, frame: ServerFrame | Frame): Promise<void>;
  /** Says something to the server in a client's name; fulfils when the server has heard it. */
  claim(client: string, frame: ClientFrame | Frame): Promise<void>;
}

export function maliciousRendezvous(): MaliciousRendezvous {
  const clock = systemClock();
  const random = cryptoRandom();
  const engine = createRendezvousEngine({ random, stun: [], relay: true });
  const carriers = new Map<number, { readonly client: string; readonly carrier: Carrier }>();
  const seen: Crossing[] = [];
  let meddle: Meddler = () => undefined;
  let meddled = 0;
  let lastConnection = 0;
  const lastConnections = new Map<string, number>();

  /** Later, but in order, as a network would. */
  const cross = (connection: number, arrive: (carrier: Carrier) => void): Promise<void> =>
    new Promise((resolve) => {
      clock.setTimeout(() => {
        const to = carriers.get(connection);
        if (to !== undefined) arrive(to.carrier);
        resolve();
      }, 0);
    });

  const intercept = (connection: number, direction: 'up' | 'down', frame: Frame): readonly Frame[] => {
    const { client } = carriers.get(connection)!;
    const decode = direction === 'up' ? decodeClientFrame : decodeServerFrame;
    const control = typeof frame === 'string' ? decode(frame) : undefined;
    const crossing = { client, direction, frame: typeof frame === 'string' ? frame : Uint8Array.from(frame), control };
    seen.push(crossing);
    const instead = meddle(crossing);
    if (instead !== undefined) meddled++;
    return instead ?? [crossing.frame];
  };

  const deliver = (connection: number, frame: Frame): Promise<void> =>
    cross(connection, (carrier) => void carrier.receive(frame));

  const submit = (connection: number, frame: Frame): Promise<void> =>
    cross(connection, () => perform(engine.receive(connection, frame, clock.now())));

  const perform = (actions: readonly EngineAction[]): void => {
    for (const action of actions) {
      if (!carriers.has(action.client)) continue;
      if (action.type === 'close') throw new Error(`the honest part of the server was offended: ${action.reason}`);
      if (action.type === 'hold') continue;
      for (const frame of intercept(action.client, 'down', action.frame)) void deliver(action.client, frame);
    }
  };

  /** The client's last connection; nothing reaches one that has ended. */
  const connectionOf = (client: string): number => {
    const connection = lastConnections.get(client);
    if (connection === undefined) throw new Error(`there was never a client ${client}`);
    return connection;
  };

  return {
    seen,
    get meddle() {
      return meddle;
    },
    set meddle(next) {
      meddle = next;
    },
    get meddled() {
      return meddled;
    },
    signaling(client) {
      const connection = ++lastConnection;
      const carrier = createCarrier({
        name: NAME,
        host: '',
        server: NAME,
        random,
        log: silentLog,
        disconnect: () =>
          void cross(connection, () => {
            carriers.delete(connection);
            perform(engine.disconnect(connection, clock.now()));
          }),
      });
      carriers.set(connection, { client, carrier });
      lastConnections.set(client, connection);
      carrier.connecting(1);
      void cross(connection, () => {
        carrier.opened({
          send(frame) {
            for (const each of intercept(connection, 'up', frame)) void submit(connection, each);
          },
          queued: () => 0,
        });
        perform(engine.connect(connection, clock.now(), { name: NAME }));
      });
      return carrier.signaling;
    },
    tell: (client, frame) => deliver(connectionOf(client), encoded(frame)),
    claim: (client, frame) => submit(connectionOf(client), encoded(frame)),
  };
}

function encoded(frame: ClientFrame | ServerFrame | Frame): Frame {
  return typeof frame === 'string' || frame instanceof Uint8Array ? frame : encodeFrame(frame);
}

const NAME = 'malicious';
