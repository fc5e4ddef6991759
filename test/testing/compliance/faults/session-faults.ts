import { filter } from 'rxjs';
import { pause } from '../../../../src/core/pause.ts';
import type { Session, SessionFactory, SessionOptions, SessionStream } from '../../../../src/core/session.ts';
import type { SessionWorld } from '../../../../src/testing/compliance/index.ts';
import { changed, type Faults, settleAtOnce } from './fault.ts';

export const sessionFaults: Faults<SessionWorld> = {
  'takes whatever key there is': {
    noticedBy: 'refuses a server with another key, and surfaces nothing of it',
    plant: (world) => {
      const { client, server } = world;
      const factory = withOptions(client.factory, () => ({ expectedKey: server.publicKey }));
      return { ...world, client: { ...client, factory } };
    },
  },
  'calls every packet authentic': {
    noticedBy: 'tells authentic packets from altered, foreign and repeated ones, and takes them in',
    plant: (world) =>
      withSessions(world, (session) => ({ authenticate: (packet) => session.authenticate(packet) || true })),
  },
  'fulfils finished when all is written': {
    noticedBy: 'fulfils finished when the other side has read to the end, not before',
    plant: (world) => withStreams(world, () => ({ finished: Promise.resolve() })),
  },
  'forgets the end of a stream': {
    noticedBy: 'half-closes: reading goes on after the end of writing',
    plant: (world) => withStreams(world, () => ({ end: async () => {} })),
  },
  'waits for its timers when the path has changed': {
    noticedBy: 'carries on at once after pathChanged(), with a trickle under way',
    plant: (world) => withSessions(world, () => ({ pathChanged() {} })),
  },
  'loses every third note': {
    noticedBy: 'carries every note of the client, in its order, through loss',
    plant: (world) =>
      withSessions(world, (session) => ({ notes$: session.notes$.pipe(filter((_, i) => i % 3 !== 2)) })),
  },
  'closes without a word': {
    noticedBy: 'is seen by the other side with code and reason, through loss',
    plant: (world) => withSessions(world, (session) => ({ close: () => session.close() })),
  },
  'takes two seconds to close': {
    noticedBy: 'waits a second at most when the other side is gone',
    plant: (world) =>
      withSessions(world, (session) => ({
        closed: session.closed.then(async (end) => {
          await pause(world.clock, 1_000);
          return end;
        }),
      })),
  },
  'has a world that does not wait for the end of a test': {
    noticedBy: 'carries bytes both ways on a stream that the client opened',
    plant: (world) => ({ ...world, settle: settleAtOnce }),
  },
};

function withSessions(world: SessionWorld, members: (session: Session) => Partial<Session>): SessionWorld {
  const change = (factory: SessionFactory): SessionFactory =>
    changed(factory, {
      create(options) {
        const session = factory.create(options);
        return changed(session, members(session));
      },
    });
  return {
    ...world,
    client: { ...world.client, factory: change(world.client.factory) },
    server: { ...world.server, factory: change(world.server.factory) },
  };
}

/** Of the streams that a side opens. */
function withStreams(world: SessionWorld, members: (stream: SessionStream) => Partial<SessionStream>): SessionWorld {
  return withSessions(world, (session) => ({
    async openStream(protocol) {
      const stream = await session.openStream(protocol);
      return changed(stream, members(stream));
    },
  }));
}

function withOptions(factory: SessionFactory, options: () => Partial<SessionOptions>): SessionFactory {
  return changed(factory, { create: (given) => factory.create({ ...given, ...options() }) });
}
