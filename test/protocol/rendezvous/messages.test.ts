import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UDP } from '../../../src/core/candidate.ts';
import { DecodeError } from '../../../src/core/errors.ts';
import { unknownBehavior } from '../../../src/core/nat-behavior.ts';
import { decodeMessage, encodeMessage, type PeerMessage } from '../../../src/protocol/rendezvous/messages.ts';
import { filled, sampleOffer } from './support.ts';

const candidates = sampleOffer().candidates;
const messages: PeerMessage[] = [
  sampleOffer(),
  { type: 'answer', offerHash: filled(32, 5), policy: 'relay-first', candidates, behavior: unknownBehavior, end: true },
  { type: 'standing', issuedAt: 0, candidates: [], behavior: unknownBehavior },
  { type: 'candidates', generation: 0, candidates, end: false },
  { type: 'restart', generation: 7, candidates, behavior: unknownBehavior, end: false },
  { type: 'reject', code: 'ERR_TICKET_EXPIRED', message: 'the ticket has expired' },
];

function whereOf(decode: () => unknown): string {
  try {
    decode();
    return 'decoded';
  } catch (error) {
    if (error instanceof DecodeError) return error.where;
    throw error;
  }
}

/** The message as JSON with one field changed. */
function altered(message: PeerMessage, name: string, value: unknown): Uint8Array {
  const wire = JSON.parse(Buffer.from(encodeMessage(message)).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...wire, [name]: value }));
}

describe('peer messages', () => {
  it.each(messages)('$type reads back', (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it('reads a rejection whose code it does not know as ERR_OFFER_REJECTED', () => {
    const reject: PeerMessage = { type: 'reject', code: 'ERR_POLICY', message: 'no' };
    expect(decodeMessage(altered(reject, 'code', 'ERR_OF_THE_FUTURE'))).toEqual({
      ...reject,
      code: 'ERR_OFFER_REJECTED',
    });
    expect(decodeMessage(altered(reject, 'code', 'ERR_USAGE'))).toEqual({ ...reject, code: 'ERR_OFFER_REJECTED' });
  });

  it('takes Buffers for bytes', () => {
    const offer = sampleOffer({ dialerKey: Buffer.alloc(32, 1), flight: [Buffer.from('abc')] });
    expect(decodeMessage(encodeMessage(offer))).toEqual(sampleOffer({ flight: [new Uint8Array(Buffer.from('abc'))] }));
  });

  it.each(messages)('$type may have fields that are new', (message) => {
    expect(decodeMessage(altered(message, 'color', { deep: [1] }))).toEqual(message);
  });

  it.each(messages)('$type needs each of its fields', (message) => {
    for (const name of Object.keys(message)) {
      expect(whereOf(() => decodeMessage(altered(message, name, undefined)))).toBe(`message/${name}`);
      expect(whereOf(() => decodeMessage(altered(message, name, null)))).toBe(`message/${name}`);
    }
  });

  it.each<[string, unknown, string]>([
    ['type', 'gossip', 'message/type'],
    ['type', '__proto__', 'message/type'],
    ['type', 'toString', 'message/type'],
    ['dialerKey', 'AAAA', 'message/dialerKey'],
    ['dialerKey', '!'.repeat(43), 'message/dialerKey'],
    ['issuedAt', -1, 'message/issuedAt'],
    ['issuedAt', 1.5, 'message/issuedAt'],
    ['issuedAt', '5', 'message/issuedAt'],
    ['policy', 'anything', 'message/policy'],
    ['end', 1, 'message/end'],
    ['flight', ['AA', 'AA', 'AA', 'AA'], 'message/flight'],
    ['flight', [''], 'message/flight/0/item'],
    ['flight', [Buffer.alloc(1201).toString('base64url')], 'message/flight/0/item'],
    ['candidates', {}, 'message/candidates'],
    ['candidates', new Array(33).fill({}), 'message/candidates'],
    ['candidates', ['x'], 'message/candidates/0'],
    ['behavior', [], 'message/behavior'],
    ['behavior', { ...unknownBehavior, mapping: 'symmetric' }, 'message/behavior/mapping'],
    ['behavior', { ...unknownBehavior, evidence: ['\u001b[2J'] }, 'message/behavior/evidence/0/item'],
  ])('an offer with %s = %j is refused', (name, value, where) => {
    expect(whereOf(() => decodeMessage(altered(sampleOffer(), name, value)))).toBe(where);
  });

  it.each<[string, unknown]>([
    ['endpoint', 'example.org:80'],
    ['endpoint', '192.0.2.1'],
    ['endpoint', '192.0.2.1:0'],
    ['endpoint', '192.0.2.1:65536'],
    ['endpoint', '[fe80::1%eth0]:80'],
    ['endpoint', '192.0.2.256:80'],
    ['type', 'local'],
    ['priority', 0],
    ['priority', 2 ** 31],
    ['foundation', ''],
    ['foundation', 'a b'],
    ['transport', 'sctp'],
  ])('a candidate with %s = %j is refused', (name, value) => {
    const candidate = { type: 'host', endpoint: '192.0.2.1:80', priority: 1, foundation: 'a', [name]: value };
    const bytes = altered(sampleOffer(), 'candidates', [candidate]);
    expect(whereOf(() => decodeMessage(bytes))).toBe(`message/candidates/0/${name}`);
  });

  it('a candidate without a transport is a UDP one', () => {
    const bytes = altered(sampleOffer(), 'candidates', [
      { type: 'host', endpoint: '192.0.2.1:80', priority: 1, foundation: 'a' },
    ]);
    expect(decodeMessage(bytes)).toMatchObject({ candidates: [{ transport: 'udp' }] });
  });

  it.each([undefined, 'both'])('a TCP candidate with tcpType = %j is refused', (tcpType) => {
    const candidate = { type: 'host', endpoint: '192.0.2.1:80', priority: 1, foundation: 'a', transport: 'tcp' };
    const bytes = altered(sampleOffer(), 'candidates', [{ ...candidate, tcpType }]);
    expect(whereOf(() => decodeMessage(bytes))).toBe('message/candidates/0/tcpType');
  });

  it('leaves zones at home, since they mean nothing elsewhere', () => {
    const endpoint = { address: 'fe80::1%eth0', port: 5, family: 6 } as const;
    const sent = sampleOffer({ candidates: [{ ...UDP, type: 'host', endpoint, priority: 1, foundation: 'a' }] });
    const received = decodeMessage(encodeMessage(sent));
    expect(received).toMatchObject({ candidates: [{ endpoint: { address: 'fe80::1', port: 5, family: 6 } }] });
  });

  it('cuts evidence that is too long to tell', () => {
    const evidence = new Array(40).fill('é'.repeat(500));
    const sent = sampleOffer({ behavior: { ...unknownBehavior, evidence } });
    expect(decodeMessage(encodeMessage(sent))).toMatchObject({
      behavior: { evidence: new Array(16).fill('é'.repeat(200)) },
    });
  });

  it('gives DecodeError for any other bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => new Uint8Array(Buffer.from(json))),
    );
    fc.assert(
      fc.property(bytes, (any) => {
        expect(() => decodeMessage(any)).toThrow(DecodeError);
      }),
    );
  });

  it('never throws another error when a field is replaced by anything', () => {
    const names = [...new Set(messages.flatMap((message) => Object.keys(message)))];
    const change = fc.tuple(fc.constantFrom(...messages), fc.constantFrom(...names), fc.jsonValue());
    fc.assert(
      fc.property(change, ([message, name, value]) => {
        expect(whereOf(() => decodeMessage(altered(message, name, value)))).toMatch(/^(decoded|message)/);
      }),
      { numRuns: 500 },
    );
  });
});
