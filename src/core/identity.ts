/** A peer is its Ed25519 key (RFC 8032). */
export interface Identity {
  /** Raw public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64-byte signature over `message`. */
  sign(message: Uint8Array): Uint8Array;
  /** PKCS #8 PEM of the private key (RFC 8410), for the session's certificate only. */
  readonly privateKeyPem: string;
}
