import { generateKeyPairSync, sign } from 'node:crypto';
import { UDP } from '../../../src/core/candidate.ts';
import { unknownBehavior } from '../../../src/core/nat-behavior.ts';
import type { Contact, StandingAnswer } from '../../../src/core/signaling.ts';
import type { OfferMessage } from '../../../src/protocol/rendezvous/index.ts';
import {
  createRendezvousEngine,
  type EngineAction,
  type RendezvousEngine,
  type ServerLimits,
  type ServerSource,
} from '../../../src/protocol/rendezvous/index.ts';
import { registrationProof } from '../../../src/protocol/rendezvous/registration-proof.ts';
import {
  type ClientFrame,
  decodeServerFrame,
  encodeFrame,
  type HelloFrame,
  type ServerFrame,
} from '../../../src/protocol/rendezvous/wire.ts';
import { seededRandom } from '../../seeded-random.ts';

/** `length` bytes of one value. */
export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

export interface TestIdentity {
  readonly key: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
  /** When it began to listen. */
  readonly since: number;
}

export function testIdentity(): TestIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    key: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    since: 1_700_000_000_000,
  };
}

/** An offer with a bit of everything in it. */
export function sampleOffer(changes: Partial<OfferMessage> = {}): OfferMessage {
  return {
    type: 'offer',
    dialerKey: filled(32, 1),
    listenerKey: filled(32, 2),
    issuedAt: 1_700_000_000_000,
    policy: 'relay-first',
    candidates: [
      {
        ...UDP,
        type: 'host',
        endpoint: { address: '192.168.1.2', port: 4000, family: 4 },
        priority: 2130706431,
        foundation: 'a',
      },
      {
        transport: 'tcp',
        tcpType: 'passive',
        type: 'srflx',
        endpoint: { address: '2001:db8::1', port: 4001, family: 6 },
        priority: 1,
        foundation: 'b/1',
      },
    ],
    behavior: { ...unknownBehavior, mapping: 'endpoint-independent', translated: true, evidence: ['one → two'] },
    flight: [filled(1200, 7), filled(3, 8)],
    end: false,
    ...changes,
  };
}

/** A client of an engine under test: what it was told, and how it talks. */
export interface EngineClient {
  readonly id: number;
  /** What the server said since the last look. */
  read(): ServerFrame[];
  readDatagrams(): Uint8Array[];
  send(frame: ClientFrame): void;
  sendRaw(frame: string | Uint8Array): void;
  register(identity: TestIdentity, standing?: readonly StandingAnswer[], contact?: Contact): void;
  disconnect(silent?: boolean): void;
  readonly hello: HelloFrame;
  readonly closed: { code: number; reason: string } | undefined;
  /** How often nothing more was to be read from it for a moment. */
  readonly held: number;
}

interface Inbox {
  readonly frames: string[];
  readonly datagrams: Uint8Array[];
  held: number;
  closed?: { code: number; reason: string };
}

export interface EngineWorld {
  readonly engine: RendezvousEngine;
  now: number;
  /** `name`: what the client dialled; `source`: where it comes from, else from an address of its own. */
  connect(name?: string, source?: ServerSource): EngineClient;
}

/** An engine with clients joined to it directly, in time that the test moves. */
export function engineWorld(options: { limits?: Partial<ServerLimits>; relay?: boolean } = {}): EngineWorld {
  const { limits = {}, relay = true } = options;
  const engine = createRendezvousEngine({
    random: seededRandom('engine'),
    stun: [':3478'],
    relay,
    limits,
  });
  const inboxes = new Map<number, Inbox>();
  let lastId = 0;

  function perform(actions: readonly EngineAction[]): void {
    for (const action of actions) {
      const inbox = inboxes.get(action.client);
      if (inbox === undefined) throw new Error(`the engine sent to client ${action.client}, which is not there`);
      if (action.type === 'send') inbox.frames.push(action.frame);
      else if (action.type === 'relay') inbox.datagrams.push(action.frame);
      else if (action.type === 'hold') inbox.held++;
      else inbox.closed = { code: action.code, reason: action.reason };
    }
  }

  const world: EngineWorld = {
    engine,
    now: 1_000,
    connect(name = 'test.example:8790', source) {
      const id = ++lastId;
      const inbox: Inbox = { frames: [], datagrams: [], held: 0 };
      inboxes.set(id, inbox);
      perform(engine.connect(id, world.now, { name, ...(source && { source }) }));
      const first = inbox.frames.shift();
      const greeting = first === undefined ? undefined : decodeServerFrame(first);
      const client: EngineClient = {
        id,
        get hello() {
          if (greeting?.type !== 'hello') throw new Error('the server did not say hello first');
          return greeting;
        },
        get closed() {
          return inbox.closed;
        },
        get held() {
          return inbox.held;
        },
        read: () => inbox.frames.splice(0).map(decodeServerFrame),
        readDatagrams: () => inbox.datagrams.splice(0),
        send: (frame) => client.sendRaw(encodeFrame(frame)),
        sendRaw: (frame) => perform(engine.receive(id, frame, world.now)),
        register({ key, sign, since }, standing = [], contact) {
          const { name, challenge } = client.hello;
          const signature = sign(registrationProof(name, challenge));
          client.send({ type: 'register', key, signature, since, ...(contact && { contact }), standing });
        },
        disconnect(silent = false) {
          inboxes.delete(id);
          perform(engine.disconnect(id, world.now, silent));
        },
      };
      return client;
    },
  };
  return world;
}
