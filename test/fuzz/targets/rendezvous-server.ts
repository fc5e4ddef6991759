import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import {
  createRendezvousEngine,
  type EngineAction,
  encodeRelayFrame,
  type RendezvousEngine,
} from '../../../src/protocol/rendezvous/index.ts';
import { registrationProof } from '../../../src/protocol/rendezvous/registration-proof.ts';
import { type ClientFrame, decodeServerFrame, encodeFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { readScript, type Script } from '../engine/script.ts';
import { must, type Target } from '../engine/target.ts';
import { CALLER, clientFrames, TICKET_ID } from './frames.ts';

const LIMITS = {
  clients: 4,
  sessions: 6,
  sessionsPerClient: 4,
  unansweredPerListener: 2,
  standing: 2,
  standingBytes: 500,
};
const NAME = 'test.example:8790';
const identities = [identityOf(1), identityOf(2)];

/** Clients that say anything in any order, frames changed by a character or many among it. */
export const rendezvousServer: Target = {
  name: 'rendezvous-server',
  share: 0.06,
  seeds: Array.from({ length: 16 }, (_, seed) => seededChance(seed).bytes(160)),
  mutate: mutateBytes,
  run(input) {
    const script = readScript(input);
    const server = new WatchedServer();
    for (let steps = 0; steps < MAX_STEPS && !script.done; steps++) step(script, server);
    const { sessions, registrations, offers, envelopes, relayedDatagrams } = server.engine.counters();
    server.leaveAll();
    return [sessions, registrations, offers, envelopes, relayedDatagrams]
      .map((count) => (count > 0 ? 'x' : '-'))
      .join('');
  },
};

function step(script: Script, server: WatchedServer): void {
  if (server.clients.length === 0) server.connect();
  const client = script.pick(server.clients);
  const frame = script.pick(clientFrames);
  switch (script.below(12)) {
    case 0:
      server.connect();
      break;
    case 1:
      server.now += script.pick([0, 1, 1000, 11_000, 61_000, 151_000]);
      break;
    case 2:
      if (script.below(4) === 0) server.disconnect(client, script.below(2) === 0);
      break;
    case 3:
      server.say(client, registration(script, server.challenges.get(client)!));
      break;
    case 4:
      server.receive(client, Uint8Array.from(script.take(1 + script.below(40))));
      break;
    case 5:
    case 6:
      server.receive(client, encodeRelayFrame(readSession(script), filled(1 + script.below(2000), 7)));
      break;
    case 7:
      server.receive(client, damaged(encodeFrame(frame), script));
      break;
    case 8:
      server.receive(client, Buffer.from(script.take(1 + script.below(60))).toString('utf8'));
      break;
    default:
      server.say(client, named(frame, script));
      break;
  }
}

/** The same frame about one of a few sessions and keys, so that frames meet each other. */
function named(frame: ClientFrame, script: Script): ClientFrame {
  if (frame.type === 'register') return frame; // signed by nobody
  const session = readSession(script);
  const { key } = script.pick(identities);
  return frame.type === 'offer'
    ? { ...frame, session, to: key, caller: script.below(4) === 0 ? session : CALLER }
    : { ...frame, session, ...(frame.type === 'lookup' && { key }) };
}

/** Signed as it should be, one time in eight for another connection. */
function registration(script: Script, challenge: Uint8Array): ClientFrame {
  const { key, sign } = script.pick(identities);
  const signature = sign(registrationProof(NAME, script.below(8) === 0 ? CALLER : challenge));
  const standing = Array.from({ length: script.below(4) }, (_, i) => ({
    ticketId: TICKET_ID.with(0, i),
    envelope: filled(150, 1),
  }));
  return { type: 'register', key, signature, since: script.byte(), standing };
}

function damaged(text: string, script: Script): string {
  const at = script.below(text.length);
  return text.slice(0, at) + String.fromCharCode(script.byte()) + text.slice(at + script.below(3));
}

function readSession(script: Script): Uint8Array {
  return filled(16, 1 + script.below(8));
}

interface Signer {
  readonly key: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The key pair of 32 equal bytes (RFC 8410 section 7): the same in every process. */
function identityOf(value: number): Signer {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), filled(32, value)]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    key: new Uint8Array(spki.subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/** Everything the server does is looked at: to whom it speaks, what it says and how much, and what it keeps. */
class WatchedServer {
  readonly engine: RendezvousEngine = createRendezvousEngine({
    random: seededChance(9),
    stun: [':3478'],
    relay: true,
    limits: LIMITS,
  });
  readonly clients: number[] = [];
  readonly challenges = new Map<number, Uint8Array>();
  now = 1000;
  #lastId = 0;

  connect(): void {
    const id = ++this.#lastId;
    this.clients.push(id);
    this.#look(this.engine.connect(id, this.now, { name: NAME }), 0);
  }

  disconnect(id: number, silent: boolean): void {
    this.#forget(id);
    this.#look(this.engine.disconnect(id, this.now, silent), 0);
  }

  leaveAll(): void {
    for (const id of [...this.clients]) this.disconnect(id, false);
    const { clients, registrations, sessions } = this.engine.counters();
    must(clients + registrations + sessions === 0, 'nothing is remembered of those who left');
  }

  say(id: number, frame: ClientFrame): void {
    this.receive(id, encodeFrame(frame));
  }

  receive(id: number, frame: string | Uint8Array): void {
    this.#look(this.engine.receive(id, frame, this.now), frame.length);
  }

  #look(actions: readonly EngineAction[], bytesIn: number): void {
    let bytesOut = 0;
    for (const action of actions) {
      must(this.clients.includes(action.client), 'nobody is spoken to who is not there', () => action);
      if (action.type === 'close') {
        this.#forget(action.client);
        continue;
      }
      if (action.type === 'hold') continue;
      bytesOut += action.frame.length;
      if (action.type === 'relay') continue;
      const said = decodeServerFrame(action.frame);
      if (said.type === 'hello') this.challenges.set(action.client, said.challenge);
    }
    must(bytesOut <= 2 * bytesIn + MAX_WORDS, 'output is bounded by input', () => [bytesOut, bytesIn]);
    const { clients, registrations, sessions } = this.engine.counters();
    must(clients <= LIMITS.clients && registrations <= clients && sessions <= LIMITS.sessions, 'tables are bounded');
  }

  #forget(id: number): void {
    const at = this.clients.indexOf(id);
    if (at >= 0) this.clients.splice(at, 1);
  }
}

/** Bytes that a frame may bring about by itself: a standing answer, and the ends of all sessions at both of their ends. */
const MAX_WORDS = 4096;
const MAX_STEPS = 100;
