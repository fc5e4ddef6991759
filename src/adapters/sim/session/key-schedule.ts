import { createHash, hkdfSync } from 'node:crypto';
import { PacketKeys, SECRET_LENGTH } from './packet-keys.ts';

/** Keys by who seals with them. */
export interface KeyPair {
  readonly client: PacketKeys;
  readonly server: PacketKeys;
}

export interface SessionKeys {
  /** For the proofs of the handshake. */
  readonly handshake: KeyPair;
  /** For everything after it. */
  readonly application: KeyPair;
}

/** What both sides said in the clear, and so must agree on. */
export interface Transcript {
  readonly clientConnectionId: Uint8Array;
  readonly serverConnectionId: Uint8Array;
  /** X25519 keys of this session. */
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** 32 bytes that stand for a transcript. */
export function transcriptHash(transcript: Transcript): Buffer {
  const { clientConnectionId, serverConnectionId, clientKey, serverKey } = transcript;
  return createHash('sha256')
    .update('sallyport simulated session 1')
    .update(clientConnectionId)
    .update(serverConnectionId)
    .update(clientKey)
    .update(serverKey)
    .digest();
}

/** The keys of a session from the shared secret (RFC 5869), of no use with any other transcript. */
export function sessionKeys(shared: Uint8Array, hash: Uint8Array): SessionKeys {
  const secrets = Buffer.from(hkdfSync('sha256', shared, hash, 'keys', 4 * SECRET_LENGTH));
  const keys = (place: number): PacketKeys => new PacketKeys(secrets.subarray(place * SECRET_LENGTH));
  return {
    handshake: { client: keys(0), server: keys(1) },
    application: { client: keys(2), server: keys(3) },
  };
}

/**
 * The keys of a client's first packet: they follow from the connection id in it, so that damage is noticed, and keep nothing secret
 * (RFC 9001 section 5.2).
 */
export function initialKeys(destination: Uint8Array): PacketKeys {
  return new PacketKeys(Buffer.from(hkdfSync('sha256', destination, INITIAL_SALT, 'initial', SECRET_LENGTH)));
}

const INITIAL_SALT = Buffer.from('sallyport simulated session 1');
