import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import type { Crossing, Frame, Meddler } from './malicious-rendezvous.ts';

/** Every way to alter a sealed box, by the part that it hits (the layout is that of `sealed-box.ts`). */
export const ENVELOPE_FAULTS: Readonly<Record<string, (envelope: Uint8Array) => Uint8Array>> = {
  version: (envelope) => flipped(envelope, 0),
  sequence: (envelope) => flipped(envelope, 4),
  nonce: (envelope) => flipped(envelope, 5),
  ciphertext: (envelope) => flipped(envelope, 17),
  'last byte of the ciphertext': (envelope) => flipped(envelope, envelope.length - 17),
  tag: (envelope) => flipped(envelope, envelope.length - 1),
  'one byte less': (envelope) => envelope.slice(0, -1),
  'one byte more': (envelope) => Buffer.concat([envelope, Uint8Array.of(0)]),
  'a byte before it': (envelope) => Buffer.concat([Uint8Array.of(1), envelope]),
  'the header alone': (envelope) => envelope.slice(0, 17),
  'zeroes instead': (envelope) => new Uint8Array(envelope.length),
};

/** The sealed envelope of a frame, if it has one that goes from one peer to the other. */
export function envelopeOf({ control }: Crossing): Uint8Array | undefined {
  return control !== undefined && 'envelope' in control ? control.envelope : undefined;
}

/** The frame with another envelope in it. */
export function withEnvelope({ control }: Crossing, envelope: Uint8Array): Frame {
  if (control === undefined || !('envelope' in control)) throw new Error('a frame without an envelope');
  return encodeFrame({ ...control, envelope });
}

/** Meddles with what comes down from the server to these clients: the last station before the victim. */
export function onWayDown(meddle: (crossing: Crossing, envelope: Uint8Array) => readonly Frame[] | undefined): Meddler {
  return (crossing) => {
    const envelope = envelopeOf(crossing);
    return crossing.direction === 'up' || envelope === undefined ? undefined : meddle(crossing, envelope);
  };
}

function flipped(envelope: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(envelope);
  copy[at]! ^= 1;
  return copy;
}
