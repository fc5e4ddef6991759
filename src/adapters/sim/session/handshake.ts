import { DecodeError } from '../../../core/errors.ts';
import type { Identity } from '../../../core/identity.ts';
import type { Random } from '../../../core/random.ts';
import { createX25519KeyPair, type X25519KeyPair } from '../../../protocol/rendezvous/x25519.ts';
import {
  initialKeys,
  type KeyPair,
  type SessionKeys,
  sessionKeys,
  type Transcript,
  transcriptHash,
} from './key-schedule.ts';
import { LONG_HEADER_LENGTH, type LongPacket, longHeader, MAX_PACKET } from './packet.ts';
import { SEAL_LENGTH } from './packet-keys.ts';
import { isProofOf, PROOF_LENGTH, prove } from './proof.ts';

/*
 * One packet from each side, and one more from the client, as the flights of TLS 1.3 in QUIC (RFC 9001 section 4):
 *
 *   hello    initial    { client key, padding }, sealed by keys that follow from its destination       1200 bytes
 *   reply    handshake  server key { server's proof, padding }, sealed by the keys of the session      1200 bytes
 *   finish   handshake  client key { client's proof }, sealed likewise
 *
 * Each is the same bytes whenever it is sent. A server keeps of a hello only the reply that it may have to repeat: a finish brings all that
 * is needed to check it, so that a stranger's hello takes nothing from the right one.
 */

export interface HandshakeOptions {
  readonly identity: Identity;
  readonly expectedKey: Uint8Array;
  readonly random: Random;
  readonly connectionId: Uint8Array;
}

/** Both sides hold the same keys; `proven` says whether the other one proved the expected identity. */
export interface HandshakeOutcome {
  readonly proven: boolean;
  readonly keys: KeyPair;
  /** The destination of all that follows. */
  readonly peerConnectionId: Uint8Array;
}

export interface Handshake {
  /** The packet to send, and to repeat for as long as nothing comes back; a server has none before a hello. */
  readonly flight: Uint8Array | undefined;
  /** Once the other side's proof has come. */
  readonly outcome: HandshakeOutcome | undefined;
  /**
   * `ignored`: the packet changed nothing; `repeated`: it came again, and so must what answered it; `answered`: there is a new
   * {@link flight}; `ended`: there is an {@link outcome}, and with a client whose server is the right one a flight.
   */
  receive(packet: LongPacket): 'ignored' | 'repeated' | 'answered' | 'ended';
}

export function clientHandshake(options: HandshakeOptions): Handshake {
  return new ClientHandshake(options);
}

export function serverHandshake(options: HandshakeOptions): Handshake {
  return new ServerHandshake(options);
}

class ClientHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #key: X25519KeyPair;
  #flight: Uint8Array | undefined;
  #outcome: HandshakeOutcome | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#key = createX25519KeyPair(options.random);
    const destination = options.random.bytes(options.connectionId.length);
    const header = longHeader('initial', destination, options.connectionId, FULL_BODY);
    const payload = Buffer.alloc(FULL_BODY - SEAL_LENGTH);
    payload.set(this.#key.publicKey);
    this.#flight = initialKeys(destination).seal(header, 0, payload);
  }

  get flight(): Uint8Array | undefined {
    return this.#flight;
  }

  get outcome(): HandshakeOutcome | undefined {
    return this.#outcome;
  }

  receive(packet: LongPacket): 'ignored' | 'ended' {
    const { expectedKey, connectionId } = this.#options;
    if (this.#outcome !== undefined || packet.type !== 'handshake') return 'ignored';
    if (!packet.destination.equals(connectionId) || packet.body.length < KEY_LENGTH) return 'ignored';
    const serverConnectionId = Buffer.from(packet.source);
    const transcript: Transcript = {
      clientConnectionId: connectionId,
      serverConnectionId,
      clientKey: this.#key.publicKey,
      serverKey: Buffer.from(packet.body.subarray(0, KEY_LENGTH)),
    };
    const agreed = agree(this.#key, transcript.serverKey, transcript);
    const proof = agreed && openProof(packet, agreed.keys.handshake.server);
    if (agreed === undefined || proof === undefined) return 'ignored';
    const proven = isProofOf(expectedKey, proof, 'server', agreed.hash);
    this.#outcome = { proven, keys: agreed.keys.application, peerConnectionId: serverConnectionId };
    this.#flight = proven ? this.#finish(serverConnectionId, agreed) : undefined;
    return 'ended';
  }

  #finish(serverConnectionId: Uint8Array, { hash, keys }: Agreed): Buffer {
    const { identity, connectionId } = this.#options;
    const header = longHeader('handshake', serverConnectionId, connectionId, FINISH_BODY);
    return keys.handshake.client.seal(Buffer.concat([header, this.#key.publicKey]), 0, prove(identity, 'client', hash));
  }
}

class ServerHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #key: X25519KeyPair;
  /** The last hello and what answered it. */
  #hello: Buffer | undefined;
  #flight: Uint8Array | undefined;
  #outcome: HandshakeOutcome | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#key = createX25519KeyPair(options.random);
  }

  get flight(): Uint8Array | undefined {
    return this.#flight;
  }

  get outcome(): HandshakeOutcome | undefined {
    return this.#outcome;
  }

  receive(packet: LongPacket): 'ignored' | 'repeated' | 'answered' | 'ended' {
    if (this.#outcome !== undefined) return 'ignored';
    return packet.type === 'initial' ? this.#receiveHello(packet) : this.#receiveFinish(packet);
  }

  #receiveHello(packet: LongPacket): 'ignored' | 'repeated' | 'answered' {
    if (packet.body.length !== FULL_BODY) return 'ignored';
    if (this.#hello?.equals(packet.body)) return 'repeated';
    const payload = initialKeys(packet.destination).open(packet.header, 0, packet.body);
    const agreed = payload && this.#agree(packet, payload.subarray(0, KEY_LENGTH));
    if (agreed === undefined) return 'ignored';
    const header = longHeader('handshake', packet.source, this.#options.connectionId, FULL_BODY);
    const proof = Buffer.alloc(FULL_BODY - KEY_LENGTH - SEAL_LENGTH);
    proof.set(prove(this.#options.identity, 'server', agreed.hash));
    this.#flight = agreed.keys.handshake.server.seal(Buffer.concat([header, this.#key.publicKey]), 0, proof);
    this.#hello = Buffer.from(packet.body);
    return 'answered';
  }

  #receiveFinish(packet: LongPacket): 'ignored' | 'ended' {
    if (!packet.destination.equals(this.#options.connectionId)) return 'ignored';
    if (packet.body.length !== FINISH_BODY) return 'ignored';
    const agreed = this.#agree(packet, packet.body.subarray(0, KEY_LENGTH));
    const proof = agreed && openProof(packet, agreed.keys.handshake.client);
    if (agreed === undefined || proof === undefined) return 'ignored';
    const proven = isProofOf(this.#options.expectedKey, proof, 'client', agreed.hash);
    this.#outcome = { proven, keys: agreed.keys.application, peerConnectionId: Buffer.from(packet.source) };
    this.#flight = undefined;
    this.#hello = undefined;
    return 'ended';
  }

  #agree(packet: LongPacket, clientKey: Uint8Array): Agreed | undefined {
    return agree(this.#key, clientKey, {
      clientConnectionId: packet.source,
      serverConnectionId: this.#options.connectionId,
      clientKey,
      serverKey: this.#key.publicKey,
    });
  }
}

interface Agreed {
  readonly hash: Buffer;
  readonly keys: SessionKeys;
}

/** `undefined` when the other side's key is none to agree with. */
function agree(mine: X25519KeyPair, theirs: Uint8Array, transcript: Transcript): Agreed | undefined {
  try {
    const hash = transcriptHash(transcript);
    return { hash, keys: sessionKeys(mine.agree(theirs), hash) };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** The proof behind the key in a packet's body. */
function openProof({ header, body }: LongPacket, keys: KeyPair['client']): Buffer | undefined {
  const authenticated = Buffer.concat([header, body.subarray(0, KEY_LENGTH)]);
  const proof = keys.open(authenticated, 0, body.subarray(KEY_LENGTH));
  return proof !== undefined && proof.length >= PROOF_LENGTH ? proof : undefined;
}

const KEY_LENGTH = 32;
const FULL_BODY = MAX_PACKET - LONG_HEADER_LENGTH;
const FINISH_BODY = KEY_LENGTH + PROOF_LENGTH + SEAL_LENGTH;
