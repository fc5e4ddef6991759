import { randomBytes } from 'node:crypto';

/** What an attacker may write without a key of the session: headers as in RFC 9000 section 17, and bytes that look like the rest. */
export const QUIC_FORGERIES: Readonly<Record<string, (connectionId: Uint8Array, count: number) => Uint8Array>> = {
  'a short header and random bytes': (id, count) =>
    Buffer.concat([Uint8Array.of(0x40 | (count & 0x3f)), id, randomBytes(60)]),
  'a packet of any first byte': (id, count) => {
    const first = 0x40 + (count % 0xc0);
    const head = first < 0x80 ? Buffer.concat([Uint8Array.of(first), id]) : longHeader(first, 1, id);
    return Buffer.concat([head, randomBytes(1200 - head.length)]);
  },
  'what looks like a stateless reset': (id) =>
    Buffer.concat([Uint8Array.of(0x41), id, randomBytes(30), Buffer.alloc(16, 7)]),
  'a Version Negotiation': (id) => Buffer.concat([longHeader(0x80, 0, id), Buffer.from('6b3343cf', 'hex')]),
  'a Retry': (id) => Buffer.concat([longHeader(0xf0, 1, id), randomBytes(40), randomBytes(16)]),
  'an Initial': (id) => withPayload(Buffer.concat([longHeader(0xc0, 1, id), Uint8Array.of(0)])),
  'a Handshake packet': (id) => withPayload(longHeader(0xe0, 1, id)),
  '0-RTT': (id) => withPayload(longHeader(0xd0, 1, id)),
};

/** First byte, version, and both connection ids, each behind its length (RFC 9000 section 17.2). */
function longHeader(first: number, version: number, destination: Uint8Array): Buffer {
  const head = Buffer.from([first, 0, 0, 0, version, destination.length]);
  return Buffer.concat([head, destination, Uint8Array.of(16), randomBytes(16)]);
}

/** A length of 2 bytes (RFC 9000 section 16) and as many random ones, 1200 in all. */
function withPayload(head: Buffer): Buffer {
  const length = 1200 - head.length - 2;
  const field = Buffer.alloc(2);
  field.writeUInt16BE(0x4000 | length);
  return Buffer.concat([head, field, randomBytes(length)]);
}

/** The connection ids of a packet with a long header (RFC 9000 section 17.2); `undefined` for another one. */
export function connectionIdsOf(
  packet: Uint8Array,
): { readonly destination: Uint8Array; readonly source: Uint8Array } | undefined {
  if ((packet[0]! & 0x80) === 0) return undefined;
  const destinationEnd = 6 + packet[5]!;
  const sourceStart = destinationEnd + 1;
  return {
    destination: packet.slice(6, destinationEnd),
    source: packet.slice(sourceStart, sourceStart + packet[destinationEnd]!),
  };
}
