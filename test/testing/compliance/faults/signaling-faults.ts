import { filter, map, mergeMap, NEVER, of } from 'rxjs';
import type { Signaling } from '../../../../src/core/signaling.ts';
import type { SignalingWorld } from '../../../../src/testing/compliance/index.ts';
import { changed, type Faults, settleAtOnce } from './fault.ts';

export const signalingFaults: Faults<SignalingWorld> = {
  'says everything twice': {
    noticedBy: 'serves many sessions of one pair, each envelope once and in order',
    plant: (world) =>
      withClients(world, ({ events$ }) => ({ events$: events$.pipe(mergeMap((event) => of(event, event))) })),
  },
  'keeps quiet about those who left': {
    noticedBy: 'tells the other end of a close',
    plant: (world) =>
      withClients(world, ({ events$ }) => ({ events$: events$.pipe(filter(({ type }) => type !== 'unreachable')) })),
  },
  'promises to send while it is offline': {
    noticedBy: 'says so, takes no envelope, and comes back with its registration',
    plant: (world) => withClients(world, (client) => ({ send: (...args) => client.send(...args) || true })),
  },
  'has a path for each question': {
    noticedBy: 'has one path a session',
    plant: (world) =>
      withClients(world, (client) => ({
        relay(session) {
          const path = client.relay(session);
          return path === undefined ? undefined : { ...path };
        },
      })),
  },
  'registers whoever comes': {
    noticedBy: 'refuses a registration without the key',
    plant: (world) =>
      withClients(world, ({ events$ }) => ({
        events$: events$.pipe(map((event) => (event.type === 'error' ? { type: 'registered' } : event))),
      })),
  },
  'never comes back': {
    noticedBy: 'sends offers made meanwhile as soon as it is back, and goes on with the session',
    plant: (world) => ({ ...world, start: async () => {} }),
  },
  'has a world that does not wait for the end of a test': {
    noticedBy: 'tells its last status to whoever looks late',
    plant: (world) => ({ ...world, settle: settleAtOnce }),
  },
  'has a world that keeps to itself how a test ends': {
    noticedBy: 'connects by itself and tells so',
    plant: (world) => ({
      ...withClients(world, () => ({ status$: NEVER })),
      settle: (promise) => world.settle(promise).catch(() => undefined as never),
    }),
  },
};

function withClients(world: SignalingWorld, members: (client: Signaling) => Partial<Signaling>): SignalingWorld {
  const change = (client: Signaling): Signaling => changed(client, members(client));
  return {
    ...world,
    signaling: () => change(world.signaling()),
    elsewhere: async () => change(await world.elsewhere()),
  };
}
