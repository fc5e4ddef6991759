import { setImmediate, setTimeout } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Config, Connection } from '@matrixai/quic/native/types.js';
import { createIdentity } from '../../../src/adapters/node/identity.ts';
import { quicheConfig } from '../../../src/adapters/session/quic/config.ts';
import { quicSessions } from '../../../src/adapters/session/quic/index.ts';
import { loadQuiche } from '../../../src/adapters/session/quic/native.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import type { Identity } from '../../../src/core/identity.ts';
import type { Session, SessionFactory } from '../../../src/core/session.ts';
import { encodeControl } from '../../../src/protocol/session/control.ts';
import { encodePreface } from '../../../src/protocol/session/preface.ts';
import { type RawPeer, rawPeer } from '../../adapters/session/raw-peer.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { readScript, type Script } from '../engine/script.ts';
import { must, type Target } from '../engine/target.ts';

/** ms; a packet that must be sent again costs a few hundred. */
const PATIENCE = 10_000;

interface Party {
  readonly identity: Identity;
  readonly factory: SessionFactory;
  readonly config: Config;
}

/** Two parties for all inputs: what they share is what all sessions of a peer share. */
const parties = lazy(async (): Promise<[Party, Party]> => {
  const quiche = await loadQuiche();
  const party = async (): Promise<Party> => {
    const identity = createIdentity();
    return { identity, factory: await quicSessions(identity), config: quicheConfig(quiche, identity) };
  };
  return [await party(), await party()];
});

/**
 * Two sessions and somebody on the path between them, who sends changed copies of their packets to either, before and after each: the
 * handshake and the data must get through all the same. Each byte of the input is what becomes of one packet; their own content is
 * fresh each time, so that the same input comes near the same run, not to it.
 */
export const quicPackets: Target = {
  name: 'quic-packets',
  share: 0.01,
  maxTime: PATIENCE,
  seeds: Array.from({ length: 8 }, (_, seed) => seededChance(seed).bytes(60)),
  mutate: mutateBytes,
  async run(input) {
    const [one, two] = await parties();
    const script = readScript(input);
    const chance = seededChance(crc32(input));
    let last: Uint8Array = new Uint8Array(1200);
    const carry = (packet: Uint8Array, to: () => Session, back: () => Session): void => {
      const [copy, other] = [Uint8Array.from(packet), last];
      last = copy;
      const order = script.byte();
      queueMicrotask(() => {
        for (let forged = order % 4; forged > 0; forged--) {
          const target = (order & 4) === 0 ? to() : back();
          target.receive(mutateBytes(copy, other, chance).subarray(0, 2000));
        }
        to().receive(copy);
        if ((order & 8) !== 0) to().receive(copy.subarray(0, order * 4));
        if ((order & 16) !== 0) back().receive(copy);
      });
    };
    const server: Session = one.factory.create({
      role: 'server',
      expectedKey: two.identity.publicKey,
      transmit: (packet) =>
        carry(
          packet,
          () => client,
          () => server,
        ),
    });
    const client: Session = two.factory.create({
      role: 'client',
      expectedKey: one.identity.publicKey,
      transmit: (packet) =>
        carry(
          packet,
          () => server,
          () => client,
        ),
    });
    server.streams$.subscribe(async (stream) => {
      const bytes = await stream.read();
      if (bytes !== null) await stream.write(bytes);
    });
    await inTime(Promise.all([client.established, server.established]), 'a handshake gets through');
    const stream = await client.openStream('echo');
    const sent = Buffer.alloc(500, input[0] ?? 0);
    await stream.write(sent);
    const echoed = await inTime(stream.read(), 'data gets through');
    must(echoed !== null && sent.equals(echoed), 'data comes as it was sent');
    client.close(7, 'done');
    const { by, code } = await inTime(server.closed, 'a close gets through');
    must(by === 'remote' && code === 7, 'a session ends with the code that it was ended with');
    await inTime(client.closed, 'a close is answered');
    return 'through';
  },
};

/** A peer with the right key that does anything that quiche lets it do: its session lives on, or ends with a code. */
export const quicPeer: Target = {
  name: 'quic-peer',
  share: 0.01,
  maxTime: PATIENCE,
  seeds: Array.from({ length: 16 }, (_, seed) => seededChance(seed).bytes(120)),
  mutate: mutateBytes,
  async run(input) {
    const [victim, attacker] = await parties();
    const script = readScript(input);
    const role = script.pick(['client', 'server'] as const);
    const { factory } = victim;
    const peer = await rawPeer({ role, config: attacker.config, factory, expectedKey: attacker.identity.publicKey });
    await inTime(peer.session.established, 'a handshake gets through');
    use(peer.session, script);
    for (let orders = 0; orders < MAX_ORDERS && !script.done; orders++) {
      obey(peer.connection, role, script);
      if (script.below(3) > 0) continue;
      peer.flush();
      await setImmediate();
    }
    return endOf(peer);
  },
};

/** The program on the attacked side: it takes streams, reads, writes, ends and sends, and does not mind what comes of it. */
function use(session: Session, script: Script): void {
  const minds = (error: unknown): void => must(error instanceof TraversalError, 'an error has a code', () => error);
  session.streams$.subscribe((stream) => {
    stream.read().catch(minds);
    if (script.below(2) === 0) stream.write(Buffer.alloc(300)).catch(minds);
    if (script.below(2) === 0) stream.end().catch(minds);
    if (script.below(8) === 0) stream.reset(5);
  });
  session.datagrams.incoming$.subscribe((bytes) => session.datagrams.send(bytes));
  session
    .openStream('mine')
    .then((stream) => stream.write(Buffer.alloc(2000)).then(() => stream.read()), minds)
    .catch(minds);
}

function obey(connection: Connection, role: 'client' | 'server', script: Script): void {
  const own = role === 'client' ? 0 : 1;
  const control = own + 2;
  const id = script.pick([control, own, own + 4, own + 8, 1 - own, 5 - own, 2 + (1 - own), own + 4 * script.byte()]);
  const fin = script.below(6) === 0;
  try {
    switch (script.below(8)) {
      case 0:
        connection.streamSend(
          control,
          encodeControl({ type: script.pick(['finished', 'abandoned']), streamId: script.byte() }),
          fin,
        );
        break;
      case 1:
        connection.streamSend(id, script.take(script.below(30)), fin);
        break;
      case 2:
        connection.streamSend(id, Buffer.concat([encodePreface('x'), script.take(script.below(30))]), fin);
        break;
      case 3:
        connection.streamShutdown(id, script.below(2), script.pick(CODES));
        break;
      case 4:
        connection.dgramSendVec(script.take(script.below(50)));
        break;
      case 5:
        connection.streamRecv(id, Buffer.alloc(script.byte()));
        break;
      case 6:
        if (script.below(8) === 0)
          connection.close(script.below(2) === 0, script.pick(CODES), script.take(script.below(20)));
        break;
      default:
        if (script.below(8) === 0) connection.streamSend(control, script.take(script.below(30)), fin);
    }
  } catch {
    // quiche holds the attacker itself to some rules; what it refuses is not sent
  }
}

/** Ends the session, unless it has ended, and says how. */
async function endOf({ connection, session, flush }: RawPeer): Promise<string> {
  flush();
  await setImmediate();
  session.stats();
  session.pathChanged();
  session.datagrams.send(Buffer.of(1));
  try {
    connection.close(true, 1, Buffer.of());
  } catch {
    // it has been closed
  }
  flush();
  session.receive(Buffer.alloc(100, 0x41));
  const { by, code, reason } = await inTime(session.closed, 'a session ends');
  must(Number.isSafeInteger(code) && code >= 0, 'a session ends with a code', () => code);
  return by === 'local' ? reason.replaceAll(/\d+/g, '#') : 'closed';
}

async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = new AbortController();
  const timeout = setTimeout(PATIENCE, undefined, { signal: late.signal }).then(
    () => must(false, what, () => `within ${PATIENCE} ms`),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([promise, timeout as Promise<never>]);
  } finally {
    late.abort();
  }
}

function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The last is the largest that QUIC has (RFC 9000 section 16), less what a double cannot tell from it. */
const CODES: readonly number[] = [0, 1, 2 ** 30, 2 ** 48, 2 ** 62 - 512];
const MAX_ORDERS = 60;
