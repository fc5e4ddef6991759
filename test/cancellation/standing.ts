import { filter, firstValueFrom } from 'rxjs';
import { matchesState, type StateValue } from 'xstate';
import type { Connection } from '../../src/peer/connection.ts';
import type { ConnectOptions } from '../../src/peer/peer.ts';
import { streamBetween } from '../peer/transfer.ts';
import { untilPath } from '../peer/world.ts';
import { type Meeting, meet, type Situation } from './attempts.ts';
import { eventually } from './eventually.ts';
import type { Party, Scene } from './scene.ts';

export type Side = 'dialer' | 'listener';

/** An established connection that is held in a stage, seen from the side that will end it. */
export interface Standing extends Situation {
  readonly own: { readonly party: Party; readonly connection: Connection };
  readonly other: { readonly party: Party; readonly connection: Connection };
  /** What the side waits for: it ends with the connection. */
  readonly pending: readonly Promise<unknown>[];
}

export interface StandingStage {
  readonly name: string;
  /** The other side does not hear of the end, so that this one gives up waiting for its answer after a second. */
  readonly alone?: true;
  /** To reach it or to end it takes a second or more. */
  readonly slow?: true;
  reach(scene: Scene, options: ConnectOptions, side: Side): Promise<Standing>;
}

const relayed: Meeting = { dialer: { policy: 'relay-only' } };

export const standingStages: readonly StandingStage[] = [
  { name: 'connected over the relay', reach: (scene, options, side) => stand(scene, options, side, relayed) },
  {
    name: 'connected directly',
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side);
      await Promise.all([standing.own, standing.other].map(({ connection }) => untilPath(connection, 'direct')));
      return standing;
    },
  },
  {
    name: 'moving from the relay to a direct path',
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side);
      await untilPath(standing.own.connection, 'direct');
      return standing;
    },
  },
  {
    name: 'a stream has unread data',
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side, relayed);
      const [opened, accepted] = await streamBetween(standing.other.connection, standing.own.connection);
      await opened.write(new Uint8Array(100_000));
      await accepted.read();
      return standing;
    },
  },
  {
    name: 'a write waits for the other side to read',
    slow: true,
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side);
      const { connection } = standing.own;
      const [opened] = await streamBetween(connection, standing.other.connection);
      const blocked = opened.write(new Uint8Array(2 * STREAM_WINDOW));
      await eventually(() => (connection.stats()?.sentBytes ?? 0) > STREAM_WINDOW, 15_000);
      return { ...standing, pending: [blocked, opened.read(), opened.finished] };
    },
  },
  {
    name: 'the path is suspect',
    alone: true,
    slow: true,
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side);
      const { connection } = standing.own;
      await untilPath(connection, 'direct');
      const [opened] = await streamBetween(connection, standing.other.connection);
      isolate(standing.own.party);
      isolate(standing.other.party);
      await opened.write(Uint8Array.of(1));
      await until(connection, { connected: { liveness: 'suspect' } });
      return { ...standing, pending: [opened.read()] };
    },
  },
  {
    name: 'recovering',
    alone: true,
    slow: true,
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side, relayed);
      await scene.server.close();
      await until(standing.own.connection, { recovering: 'searching' });
      return standing;
    },
  },
  {
    name: 'the other side’s process has gone',
    alone: true,
    slow: true,
    async reach(scene, options, side) {
      const standing = await stand(scene, options, side, relayed);
      for (const carrier of standing.other.party.carriers) carrier.close();
      await until(standing.own.connection, { recovering: 'abandoned' });
      return standing;
    },
  },
];

async function stand(scene: Scene, options: ConnectOptions, side: Side, meeting?: Meeting): Promise<Standing> {
  const situation = await meet(scene, options, meeting);
  const { dialer, listener, here } = situation;
  const there = await firstValueFrom(listener.peer.incoming$);
  await here.ready;
  const ends = { dialer: { party: dialer, connection: here }, listener: { party: listener, connection: there } };
  return { ...situation, own: ends[side], other: ends[side === 'dialer' ? 'listener' : 'dialer'], pending: [] };
}

function isolate({ network, muteRelays }: Party): void {
  network.traffic = 'drop';
  muteRelays();
}

async function until({ state$ }: Connection, wanted: StateValue): Promise<void> {
  await firstValueFrom(state$.pipe(filter((state) => matchesState(wanted, state))));
}

/** What one stream may have on its way unread, in bytes. */
const STREAM_WINDOW = 12 * 2 ** 20;
