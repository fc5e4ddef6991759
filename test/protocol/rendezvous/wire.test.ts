import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import { registrationProof, verifyRegistration } from '../../../src/protocol/rendezvous/registration-proof.ts';
import { decodeRelayFrame, encodeRelayFrame } from '../../../src/protocol/rendezvous/relay-frame.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeFrame,
  MAX_FRAME,
  type ServerFrame,
} from '../../../src/protocol/rendezvous/wire.ts';
import { filled, testIdentity } from './support.ts';

const session = filled(16, 1);
const ticketId = filled(16, 2);
const envelope = filled(100, 3);

const contact = { key: filled(32, 9), signature: filled(64, 10) };
const registration = { type: 'register', key: filled(32, 4), signature: filled(64, 5), since: 2 ** 41 } as const;

const clientFrames: ClientFrame[] = [
  { ...registration, standing: [{ ticketId, envelope }] },
  { ...registration, contact, standing: [] },
  { type: 'lookup', session, key: filled(32, 6) },
  { type: 'offer', to: filled(32, 6), session, ticketId, envelope, caller: filled(16, 7) },
  { type: 'envelope', session, envelope },
  { type: 'leave', session },
];

const hello = {
  type: 'hello',
  v: 1,
  name: 'meet.example.org:8790',
  challenge: filled(32, 8),
  stun: [':3478', '192.0.2.1:3478'],
  relay: true,
  limits: { standing: 16, datagram: 1500 },
} as const;

const serverFrames: ServerFrame[] = [
  hello,
  { type: 'registered' },
  { type: 'contact', session, contact },
  { type: 'contact', session },
  { type: 'replaced' },
  { type: 'offer', session, ticketId, envelope },
  { type: 'standing', session, envelope },
  { type: 'envelope', session, envelope },
  { type: 'unreachable', session, reason: 'gone' },
  { type: 'error', code: 'ERR_BUSY', message: 'too much', session },
  { type: 'error', code: 'ERR_PROTOCOL', message: 'what?' },
];

describe('control frames', () => {
  it.each(clientFrames)('$type of a client reads back', (frame) => {
    expect(decodeClientFrame(encodeFrame(frame))).toEqual(frame);
  });

  it.each(serverFrames)('$type of a server reads back', (frame) => {
    expect(decodeServerFrame(encodeFrame(frame))).toEqual(frame);
  });

  it('may have fields that are new', () => {
    const text = JSON.stringify({ ...JSON.parse(encodeFrame({ type: 'leave', session })), mood: 'fine' });
    expect(decodeClientFrame(text)).toEqual({ type: 'leave', session });
  });

  it('tells a server of another version from nonsense', () => {
    const later = JSON.stringify({ type: 'hello', v: 2, shape: 'unknown' });
    expect(() => decodeServerFrame(later)).toThrow(expect.objectContaining({ code: 'ERR_VERSION' }));
    expect(() => decodeServerFrame(JSON.stringify({ type: 'hello', v: 'x' }))).toThrow(DecodeError);
  });

  it('takes an error of a later version for a refusal', () => {
    const text = JSON.stringify({ type: 'error', code: 'ERR_FROM_THE_FUTURE', message: 'no' });
    expect(decodeServerFrame(text)).toMatchObject({ type: 'error', code: 'ERR_SERVER_REFUSED' });
  });

  it('has bounds', () => {
    const tooMany = new Array(17).fill({ ticketId, envelope });
    const crowded = encodeFrame({ ...registration, standing: tooMany });
    expect(() => decodeClientFrame(crowded)).toThrow(DecodeError);
    const long = encodeFrame({ type: 'envelope', session, envelope: filled(17_000, 0) });
    expect(() => decodeClientFrame(long)).toThrow(expect.objectContaining({ where: 'frame/envelope' }));
    const huge = ' '.repeat(MAX_FRAME + 1);
    expect(() => decodeClientFrame(huge)).toThrow(expect.objectContaining({ where: 'frame/length' }));
  });

  it('has room for the largest registration', () => {
    const standing = new Array(16).fill({ ticketId, envelope: filled(8 * 1024, 1) });
    const frame: ClientFrame = { ...registration, contact, standing };
    expect(decodeClientFrame(encodeFrame(frame))).toEqual(frame);
  });

  it('gives DecodeError for any other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => decodeClientFrame(text)).toThrow(DecodeError);
        expect(() => decodeServerFrame(text)).toThrow(DecodeError);
      }),
    );
  });
});

describe('relay frames', () => {
  it('carry a datagram of a session', () => {
    const datagram = filled(1200, 9);
    expect(decodeRelayFrame(encodeRelayFrame(session, datagram))).toEqual({ session, datagram });
  });

  it('are nothing else', () => {
    expect(decodeRelayFrame(new Uint8Array(0))).toBeUndefined();
    expect(decodeRelayFrame(encodeRelayFrame(session, new Uint8Array(0)))).toBeUndefined();
    expect(decodeRelayFrame(filled(40, 2))).toBeUndefined();
  });
});

describe('registration proof', () => {
  const identity = testIdentity();
  const challenge = filled(32, 1);
  const signature = identity.sign(registrationProof('a.example', challenge));

  it('holds for the key, the server and the challenge it was made for', () => {
    const proof = { key: identity.key, signature };
    expect(verifyRegistration(proof, 'a.example', challenge)).toBe(true);
    expect(verifyRegistration(proof, 'b.example', challenge)).toBe(false);
    expect(verifyRegistration(proof, 'a.example', filled(32, 2))).toBe(false);
    expect(verifyRegistration({ ...proof, key: testIdentity().key }, 'a.example', challenge)).toBe(false);
  });

  it('does not hold, and does not throw, for any other key and signature', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(32), bytes(64), (key, forged) => {
        expect(verifyRegistration({ key, signature: forged }, 'a.example', challenge)).toBe(false);
      }),
    );
  });
});
