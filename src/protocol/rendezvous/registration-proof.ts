import { verifySignature } from './signature.ts';

/**
 * What a listener signs to register its key: the server's name and challenge, under a label that no other signature of
 * the identity begins with. A signature is worth nothing on another connection, nor at a server of another name.
 */
export function registrationProof(server: string, challenge: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`sallyport/1 registration\0${server}\0`), challenge]);
}

/** Whether `signature` is `key`'s over the proof. */
export function verifyRegistration(
  { key, signature }: { readonly key: Uint8Array; readonly signature: Uint8Array },
  server: string,
  challenge: Uint8Array,
): boolean {
  return verifySignature(key, registrationProof(server, challenge), signature);
}
