import type { Session, SessionFactory, SessionOptions, SessionStream } from '../../../../src/core/session.ts';
import type { SessionPair } from '../../../../src/testing/compliance/index.ts';
import { changed, type Faults } from './fault.ts';

export const sessionFaults: Faults<SessionPair> = {
  'takes whatever key there is': {
    noticedBy: 'refuses a server with another key, and surfaces nothing of it',
    plant: ({ client, server }) => ({
      client: { ...client, factory: withOptions(client.factory, () => ({ expectedKey: server.publicKey })) },
      server,
    }),
  },
  'calls every packet authentic': {
    noticedBy: 'tells authentic packets from altered, foreign and repeated ones, and takes them in',
    plant: (pair) =>
      withSessions(pair, (session) => ({ authenticate: (packet) => session.authenticate(packet) || true })),
  },
  'fulfils finished when all is written': {
    noticedBy: 'fulfils finished when the other side has read to the end, not before',
    plant: (pair) => withStreams(pair, () => ({ finished: Promise.resolve() })),
  },
  'forgets the end of a stream': {
    noticedBy: 'half-closes: reading goes on after the end of writing',
    plant: (pair) => withStreams(pair, () => ({ end: async () => {} })),
  },
  'waits for its timers when the path has changed': {
    noticedBy: 'carries on at once after pathChanged(), with a trickle under way',
    plant: (pair) => withSessions(pair, () => ({ pathChanged() {} })),
  },
  'closes without a word': {
    noticedBy: 'is seen by the other side with code and reason, through loss',
    plant: (pair) => withSessions(pair, (session) => ({ close: () => session.close() })),
  },
};

function withSessions(pair: SessionPair, members: (session: Session) => Partial<Session>): SessionPair {
  const change = (factory: SessionFactory): SessionFactory =>
    changed(factory, {
      create(options) {
        const session = factory.create(options);
        return changed(session, members(session));
      },
    });
  return {
    client: { ...pair.client, factory: change(pair.client.factory) },
    server: { ...pair.server, factory: change(pair.server.factory) },
  };
}

/** Of the streams that a side opens. */
function withStreams(pair: SessionPair, members: (stream: SessionStream) => Partial<SessionStream>): SessionPair {
  return withSessions(pair, (session) => ({
    async openStream(protocol) {
      const stream = await session.openStream(protocol);
      return changed(stream, members(stream));
    },
  }));
}

function withOptions(factory: SessionFactory, options: () => Partial<SessionOptions>): SessionFactory {
  return changed(factory, { create: (given) => factory.create({ ...given, ...options() }) });
}
