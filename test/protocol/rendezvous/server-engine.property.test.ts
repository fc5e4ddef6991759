import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRelayFrame } from '../../../src/protocol/rendezvous/index.ts';
import { type EngineClient, engineWorld, filled, testIdentity } from './support.ts';

const identities = [testIdentity(), testIdentity()];
const limits = {
  clients: 4,
  sessions: 6,
  sessionsPerClient: 4,
  unansweredPerListener: 2,
  standing: 2,
  standingBytes: 500,
};

const pick = (count: number) => fc.nat(count - 1);
const id = pick(5).map((value) => filled(16, value));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });

/** One thing that a client may do; `who` counts among those connected. */
const step = fc.oneof(
  fc.record({ do: fc.constant('connect' as const) }),
  fc.record({ do: fc.constant('disconnect' as const), who: pick(4) }),
  fc.record({ do: fc.constant('register' as const), who: pick(4), identity: pick(2), ticketId: id, envelope: bytes }),
  fc.record({
    do: fc.constant('offer' as const),
    who: pick(4),
    identity: pick(2),
    session: id,
    caller: id,
    envelope: bytes,
  }),
  fc.record({ do: fc.constant('envelope' as const), who: pick(4), session: id, envelope: bytes }),
  fc.record({ do: fc.constant('leave' as const), who: pick(4), session: id }),
  fc.record({ do: fc.constant('datagram' as const), who: pick(4), session: id, datagram: bytes }),
  fc.record({ do: fc.constant('text' as const), who: pick(4), text: fc.oneof(fc.string(), fc.json()) }),
  fc.record({ do: fc.constant('binary' as const), who: pick(4), binary: fc.uint8Array() }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(100_000) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type ClientStep = Exclude<Step, { do: 'connect' | 'wait' | 'disconnect' }>;

function act(step: ClientStep, client: EngineClient): void {
  switch (step.do) {
    case 'register':
      client.register(identities[step.identity]!, new Array(3).fill(step));
      break;
    case 'offer':
      client.send({ ...step, type: 'offer', to: identities[step.identity]!.key, ticketId: step.caller });
      break;
    case 'envelope':
      client.send({ ...step, type: 'envelope' });
      break;
    case 'leave':
      client.send({ ...step, type: 'leave' });
      break;
    case 'datagram':
      client.sendRaw(encodeRelayFrame(step.session, step.datagram));
      break;
    case 'text':
      client.sendRaw(step.text);
      break;
    case 'binary':
      client.sendRaw(step.binary);
      break;
  }
}

function run(steps: readonly Step[]): ReturnType<typeof engineWorld> & { clients: EngineClient[] } {
  const world = engineWorld({ limits });
  const clients: EngineClient[] = [];
  for (const step of steps) {
    if (step.do === 'wait') world.now += step.ms;
    else if (step.do === 'connect') {
      const client = world.connect();
      if (client.closed === undefined) clients.push(client);
    } else if (clients.length > 0) {
      const client = clients[step.who % clients.length]!;
      if (step.do !== 'disconnect') act(step, client);
      else clients.splice(clients.indexOf(client), 1)[0]!.disconnect();
    }
  }
  return Object.assign(world, { clients });
}

describe('a rendezvous engine under any sequence of frames', () => {
  it('never throws, never outgrows its bounds, and writes only to clients that are there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { engine } = run(steps);
        const { clients, registrations, sessions } = engine.counters();
        expect(clients).toBeLessThanOrEqual(limits.clients);
        expect(registrations).toBeLessThanOrEqual(clients);
        expect(sessions).toBeLessThanOrEqual(limits.sessions);
      }),
      { numRuns: 300 },
    );
  });

  it('remembers nothing once everybody has left', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { engine, clients } = run(steps);
        for (const client of clients) client.disconnect();
        expect(engine.counters()).toMatchObject({ clients: 0, registrations: 0, sessions: 0 });
      }),
      { numRuns: 300 },
    );
  });

  it('says only what a client can read', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        for (const client of run(steps).clients) expect(() => client.read()).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it('gives a stranger nothing of a session, whatever it sends, and lets it change nothing', () => {
    const steps = fc.array(step, { maxLength: 40 });
    const session = filled(16, 3);
    const secret = filled(30, 0x5a);
    fc.assert(
      fc.property(steps, (steps) => {
        const world = engineWorld();
        const [dialer, listener, stranger] = [world.connect(), world.connect(), world.connect()];
        const honest = testIdentity();
        listener.register(honest);
        const caller = filled(16, 0x77);
        dialer.send({ type: 'offer', to: honest.key, session, ticketId: filled(16, 1), caller, envelope: secret });
        listener.send({ type: 'envelope', session, envelope: secret });
        dialer.read();
        listener.read();
        for (const step of steps) {
          if (step.do === 'connect' || step.do === 'wait' || step.do === 'disconnect') continue;
          act(step, stranger);
          dialer.send({ type: 'envelope', session, envelope: secret });
          listener.sendRaw(encodeRelayFrame(session, secret));
          expect(listener.read()).toEqual([{ type: 'envelope', session, envelope: secret }]);
          expect(listener.readDatagrams()).toEqual([]);
          expect(dialer.read()).toEqual([]);
          expect(dialer.readDatagrams()).toEqual([encodeRelayFrame(session, secret)]);
        }
        expect(stranger.readDatagrams()).toEqual([]);
        for (const frame of stranger.read()) expect(frame).not.toMatchObject({ envelope: secret });
      }),
      { numRuns: 200 },
    );
  });
});
