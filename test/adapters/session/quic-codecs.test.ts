import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../../src/adapters/node/identity.ts';
import { isAdmissible, isFirstPacket } from '../../../src/adapters/session/quic/admissible.ts';
import { selfSignedCertificate } from '../../../src/adapters/session/quic/certificate.ts';
import { certifiesKey } from '../../../src/adapters/session/quic/peer-key.ts';
import { DecodeError } from '../../../src/core/errors.ts';
import {
  ControlDecoder,
  type ControlMessage,
  encodeControl,
  isNote,
  MAX_NOTE,
} from '../../../src/protocol/session/control.ts';
import { decodePrefaceHeader, decodePrefaceName, encodePreface } from '../../../src/protocol/session/preface.ts';

describe('selfSignedCertificate', () => {
  const identity = createIdentity();
  const pem = selfSignedCertificate(identity);

  it('is read and verified by node', () => {
    const certificate = new X509Certificate(pem);
    expect(certificate.subject).toBe('CN=sallyport');
    expect(certificate.issuer).toBe('CN=sallyport');
    expect(new Date(certificate.validFrom).getTime()).toBe(0);
    expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)).toEqual(
      Buffer.from(identity.publicKey),
    );
  });

  it('is read and verified by openssl', () => {
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: pem, encoding: 'utf8' });
    expect(text).toContain('Version: 3 (0x2)');
    expect(text).toContain('Signature Algorithm: ED25519');
    const file = join(mkdtempSync(join(tmpdir(), 'certificate-')), 'certificate.pem');
    writeFileSync(file, pem);
    expect(execFileSync('openssl', ['verify', '-CAfile', file, file], { encoding: 'utf8' })).toContain('OK');
    rmSync(dirname(file), { recursive: true });
  });

  it('certifies its key and no other', () => {
    const der = new X509Certificate(pem).raw;
    expect(certifiesKey(der, identity.publicKey)).toBe(true);
    expect(certifiesKey(der, createIdentity().publicKey)).toBe(false);
    expect(certifiesKey(undefined, identity.publicKey)).toBe(false);
    expect(certifiesKey(der.subarray(0, 100), identity.publicKey)).toBe(false);
  });
});

describe('preface', () => {
  it('is version, length and name', () => {
    expect(encodePreface('chat')).toEqual(Buffer.from('01' + '04' + '63686174', 'hex'));
  });

  it('comes back as it was written', () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(names, (name) => {
        const bytes = encodePreface(name);
        expect(decodePrefaceHeader(bytes)).toBe(bytes.length - 2);
        expect(decodePrefaceName(bytes.subarray(2))).toBe(name);
      }),
    );
  });

  it.each([
    [Buffer.of(0, 1), 'session/preface/version'],
    [Buffer.of(1, 0), 'session/preface/length'],
    [Buffer.of(1, 65), 'session/preface/length'],
  ])('says where a header is wrong', (header, where) => {
    expect(() => decodePrefaceHeader(header)).toThrow(expect.objectContaining({ code: 'ERR_DECODE', where }));
  });
});

describe('control', () => {
  const id = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  const message: fc.Arbitrary<ControlMessage> = fc.oneof(
    fc.record({ type: fc.constantFrom('finished', 'abandoned'), streamId: id }),
    fc.record({ type: fc.constant('close'), code: id, reason: fc.string({ unit: 'binary', maxLength: 60 }) }),
    fc.record({ type: fc.constant('note'), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }).map(Buffer.from) }),
  );

  it('comes back as it was written, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(message), fc.integer({ min: 1, max: 20 }), (messages, step) => {
        const bytes = Buffer.concat(messages.map(encodeControl));
        const decoder = new ControlDecoder();
        const read: ControlMessage[] = [];
        for (let at = 0; at < bytes.length; at += step) read.push(...decoder.push(bytes.subarray(at, at + step)));
        expect(read).toEqual(messages);
      }),
    );
  });

  it('throws nothing but DecodeError at arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          new ControlDecoder().push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it.each([1, MAX_NOTE])('carries a note of %i bytes', (length) => {
    const bytes = Buffer.alloc(length, 0x03);
    expect(isNote(bytes)).toBe(true);
    expect(new ControlDecoder().push(encodeControl({ type: 'note', bytes }))).toEqual([{ type: 'note', bytes }]);
  });

  it.each([0, MAX_NOTE + 1])('takes no note of %i bytes, before they have come', (length) => {
    expect(isNote(Buffer.alloc(length))).toBe(false);
    expect(() => new ControlDecoder().push(Buffer.of(0x03, length >> 8, length & 0xff))).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE', where: 'session/control/note' }),
    );
  });

  it('cuts a reason to 255 bytes', () => {
    const [read] = new ControlDecoder().push(encodeControl({ type: 'close', code: 1, reason: 'r'.repeat(300) }));
    expect(read).toEqual({ type: 'close', code: 1, reason: 'r'.repeat(255) });
  });
});

describe('isAdmissible', () => {
  const packet = (length: number, ...start: number[]) => Uint8Array.from({ length }, (_, i) => start[i] ?? 0);

  it.each([
    ['a short header', packet(40, 0x40), true],
    ['an Initial', packet(1200, 0xc3, 0, 0, 0, 1), true],
    ['a Handshake packet', packet(100, 0xe0, 0, 0, 0, 1), true],
    ['nothing', packet(0), false],
    ['STUN', packet(100, 0x00), false],
    ['too little', packet(20, 0x40), false],
    ['more than a path carries', packet(1201, 0x40), false],
    ['Version Negotiation', packet(100, 0xc0, 0, 0, 0, 0), false],
    ['another version', packet(1200, 0xc0, 0x6b, 0x33, 0x43, 0xcf), false],
    ['0-RTT', packet(100, 0xd0, 0, 0, 0, 1), false],
    ['Retry', packet(100, 0xf0, 0, 0, 0, 1), false],
  ])('%s', (_, bytes, expected) => {
    expect(isAdmissible(bytes)).toBe(expected);
  });

  it('takes only a whole Initial as a first packet', () => {
    expect(isFirstPacket(packet(1200, 0xc3, 0, 0, 0, 1))).toBe(true);
    expect(isFirstPacket(packet(1199, 0xc3, 0, 0, 0, 1))).toBe(false);
    expect(isFirstPacket(packet(1200, 0xe3, 0, 0, 0, 1))).toBe(false);
    expect(isFirstPacket(packet(1200, 0x43, 0, 0, 0, 1))).toBe(false);
  });
});
