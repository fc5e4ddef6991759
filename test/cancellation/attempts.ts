import { filter, firstValueFrom } from 'rxjs';
import { matchesState } from 'xstate';
import { Deferred } from '../../src/core/deferred.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Network } from '../../src/core/network.ts';
import type { Connection } from '../../src/peer/connection.ts';
import type { ConnectOptions } from '../../src/peer/peer.ts';
import { unusedPort } from '../cli/tcp.ts';
import type { Party, PartyOptions, Scene } from './scene.ts';

/** Both ends of a connection that is held in a stage. */
export interface Situation {
  readonly dialer: Party;
  readonly listener: Party;
  readonly here: Connection;
  /** What each of them held before there was any connection. */
  readonly before: { readonly dialer: readonly string[]; readonly listener: readonly string[] };
}

/** A stage before the session is established. */
export interface AttemptStage {
  readonly name: string;
  /** Whether the listener takes part in it. */
  readonly met?: true;
  /** The listener finds out about its end by checks that go unanswered. */
  readonly slow?: true;
  reach(scene: Scene, options: ConnectOptions): Promise<Situation>;
}

export const attemptStages: readonly AttemptStage[] = [
  { name: 'created', reach: (scene, options) => meet(scene, options, { listener: { accept: undecided() } }) },
  {
    name: 'the server takes the connection and says nothing',
    reach: async (scene, options) => meet(scene, { ...options, servers: [await scene.muteServer()] }),
  },
  {
    name: 'waiting for the server’s hello',
    async reach(scene, options) {
      const { url, connected } = await scene.silentServer();
      const situation = await meet(scene, { ...options, servers: [url] });
      await connected;
      return situation;
    },
  },
  {
    name: 'one server is unreachable and the other silent',
    async reach(scene, options) {
      const servers = [`ws://127.0.0.1:${await unusedPort()}`, await scene.muteServer()];
      const situation = await meet(scene, { ...options, servers });
      await situation.dialer.logged('signaling.offline');
      return situation;
    },
  },
  {
    name: 'the name of a STUN server does not resolve',
    async reach(scene, options) {
      const asked = new Deferred();
      const situation = await meet(scene, options, {
        dialer: {
          env: ({ network }) => ({ stun: ['stun.invalid:3478'], network: unresolving(network, asked.resolve) }),
        },
        listener: { accept: undecided() },
      });
      await asked.promise;
      return situation;
    },
  },
  {
    name: 'the offer is sent and not answered',
    met: true,
    async reach(scene, options) {
      const asked = new Deferred();
      const situation = await meet(scene, options, { listener: { accept: undecided(asked.resolve) } });
      await asked.promise;
      return situation;
    },
  },
  {
    name: 'answered while the STUN server is silent',
    met: true,
    async reach(scene, options) {
      const stun = [await scene.silentStun()];
      const situation = await meet(scene, options, { dialer: { env: () => ({ stun }) }, mute: true });
      await untilTraversing(situation.here, { discover: 'gathering', punch: 'checking', fallback: 'relayed' });
      return situation;
    },
  },
  {
    name: 'checks are running',
    met: true,
    async reach(scene, options) {
      const directOnly: PartyOptions = { policy: 'direct-only' };
      const situation = await meet(scene, options, { dialer: directOnly, listener: directOnly, mute: true });
      await untilTraversing(situation.here, { punch: 'checking', fallback: 'unavailable' });
      return situation;
    },
  },
  {
    name: 'a direct path stands and the session shakes hands',
    met: true,
    slow: true,
    async reach(scene, options) {
      const situation = await meet(scene, options, {
        dialer: { env: ({ sessions }) => ({ sessions: silent(sessions) }) },
      });
      await untilTraversing(situation.here, { punch: 'punched' });
      return situation;
    },
  },
  {
    name: 'the session shakes hands over the relay',
    met: true,
    async reach(scene, options) {
      const situation = await meet(scene, options, { mute: true });
      await untilTraversing(situation.here, { fallback: 'relayed' });
      return situation;
    },
  },
];

export interface Meeting {
  readonly dialer?: PartyOptions;
  readonly listener?: PartyOptions;
  /** Nothing that the two send each other arrives, but for what the server carries of envelopes. */
  readonly mute?: boolean;
}

/** A dialer that has just begun to connect, and the listener that it wants. */
export async function meet(scene: Scene, options: ConnectOptions, meeting: Meeting = {}): Promise<Situation> {
  const dialer = await scene.dialer(meeting.dialer);
  const listener = await scene.listener(meeting.listener);
  const ticket = await listener.peer.createTicket();
  for (const { network, muteRelays } of meeting.mute ? [dialer, listener] : []) {
    network.traffic = 'drop';
    muteRelays();
  }
  const before = { dialer: dialer.held(), listener: listener.held() };
  return { dialer, listener, before, here: dialer.peer.connect(ticket, options) };
}

/** An `accept` that never settles. */
export function undecided(asked: () => void = () => {}): NonNullable<PartyOptions['accept']> {
  return () => {
    asked();
    return new Promise(() => {});
  };
}

/** Resolves no name until the caller has lost its patience. */
function unresolving(network: Network, asked: () => void): Network {
  return {
    ...network,
    resolve: (_host, { signal } = {}) => {
      asked();
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
  };
}

/** Sessions that say nothing. */
function silent(sessions: Environment['sessions']): Environment['sessions'] {
  return async (identity) => {
    const factory = await sessions(identity);
    return {
      create: (options) => factory.create({ ...options, transmit: () => {} }),
      close: () => factory.close(),
    };
  };
}

type Regions = Partial<Record<'discover' | 'punch' | 'fallback', string>>;

async function untilTraversing({ state$ }: Connection, traversing: Regions): Promise<void> {
  await firstValueFrom(state$.pipe(filter((state) => matchesState({ traversing }, state))));
}
