import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import type { Json } from '../../../src/core/strategy.ts';
import { jsonFault } from '../../../src/protocol/negotiation/json-value.ts';
import {
  decodeNegotiation,
  encodeNegotiation,
  type NegotiationMessage,
} from '../../../src/protocol/negotiation/messages.ts';
import { decodeMessage, encodeMessage } from '../../../src/protocol/rendezvous/messages.ts';
import { isNote } from '../../../src/protocol/session/control.ts';

const messages: readonly NegotiationMessage[] = [
  { type: 'propose', id: 1, strategy: 'knock', version: 1, params: { ports: [40_000, 40_001] }, startIn: 40 },
  { type: 'accept', id: 1, params: null },
  { type: 'decline', id: 2 ** 31 - 1, reason: 'busy' },
  { type: 'cancel', id: 7 },
];
const [proposal] = messages;

/** A proposal with one field changed. */
function altered(field: string, value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ ...proposal, [field]: value }));
}

function whereOf(bytes: Uint8Array): string {
  try {
    decodeNegotiation(bytes);
    return 'decoded';
  } catch (error) {
    if (error instanceof DecodeError) return error.where;
    throw error;
  }
}

describe('negotiation messages', () => {
  it.each(messages)('$type reads back, as a note and in an envelope', (message) => {
    expect(decodeNegotiation(encodeNegotiation(message))).toEqual(message);
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it.each(messages)('$type may have fields that are new, and needs each that it has', (message) => {
    const wire: Record<string, unknown> = { ...message };
    expect(decodeNegotiation(Buffer.from(JSON.stringify({ ...wire, color: 'red' })))).toEqual(message);
    for (const field of Object.keys(message)) {
      const { [field]: _, ...rest } = wire;
      expect(whereOf(Buffer.from(JSON.stringify(rest)))).toBe(`negotiation/${field}`);
    }
  });

  it.each<[string, unknown, string]>([
    ['type', 'offer', 'type'],
    ['type', 'constructor', 'type'],
    ['id', 0, 'id'],
    ['id', 2 ** 31, 'id'],
    ['id', '1', 'id'],
    ['strategy', '', 'strategy'],
    ['strategy', 'Knock', 'strategy'],
    ['strategy', 'x'.repeat(65), 'strategy'],
    ['strategy', 'knock\n', 'strategy'],
    ['version', 0, 'version'],
    ['version', 65_536, 'version'],
    ['startIn', -1, 'startIn'],
    ['startIn', 5_001, 'startIn'],
    ['params', 'x'.repeat(999), 'params'],
    ['params', 'ä'.repeat(500), 'params'],
    ['params', nested(9), 'params'],
  ])('refuses %s %j', (field, value, where) => {
    expect(whereOf(altered(field, value))).toBe(`negotiation/${where}`);
  });

  it.each(['x'.repeat(201), 'two\nlines', 'hidden \u202e text'])('refuses the reason %j', (reason) => {
    expect(whereOf(Buffer.from(JSON.stringify({ type: 'decline', id: 1, reason })))).toBe('negotiation/reason');
  });

  it('survives text that is nested a hundred thousand times', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(whereOf(Buffer.from(`{"type":"accept","id":1,"params":${deep}}`))).toBe('negotiation/params');
  });

  it('throws nothing but DecodeError at any JSON and any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .tuple(fc.constantFrom('id', 'strategy', 'version', 'params', 'startIn', 'type'), fc.jsonValue())
        .map(([field, value]) => altered(field, value)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        expect(whereOf(input)).toMatch(/^(decoded|negotiation.*)$/);
      }),
    );
  });

  it('fits a note, whatever is in it', () => {
    const largest: NegotiationMessage = {
      type: 'propose',
      id: 2 ** 31 - 1,
      strategy: 'x'.repeat(64),
      version: 65_535,
      params: 'x'.repeat(998),
      startIn: 5_000,
    };
    expect(jsonFault(largest.params)).toBeUndefined();
    expect(isNote(encodeNegotiation(largest))).toBe(true);
    expect(isNote(encodeNegotiation({ type: 'decline', id: 2 ** 31 - 1, reason: '€'.repeat(200) }))).toBe(true);
  });
});

describe('jsonFault', () => {
  it('finds none in JSON within its bounds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(Buffer.byteLength(text) <= 1_000);
        expect(jsonFault(JSON.parse(text))).toBeUndefined();
      }),
    );
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'not JSON'],
    ['a function', () => {}, 'not JSON'],
    ['a date', new Date(0), 'not JSON'],
    ['bytes', Uint8Array.of(1), 'not JSON'],
    ['a big integer', 1n, 'not JSON'],
    ['NaN', Number.NaN, 'NaN is not JSON'],
    ['infinity within', { a: [0, Number.POSITIVE_INFINITY] }, 'a[1]: Infinity is not JSON'],
    ['what is undefined within', { a: { b: undefined } }, 'a.b: not JSON'],
    ['a date in a list', [[], [new Date(0)]], '[1][0]: not JSON'],
    // biome-ignore lint/suspicious/noSparseArray: what is not there is not JSON
    ['a hole in a list', [1, , 2], '[1]: not JSON'],
    ['nine levels', nested(9), 'deeper than 8 levels'],
    ['a loop', loop(), 'deeper than 8 levels'],
    ['1,001 bytes', 'x'.repeat(999), '1001 bytes, at most 1000'],
  ])('finds %s', (_, value, fault) => {
    expect(jsonFault(value)).toBe(fault);
  });

  it.each<[string, Json]>([
    ['eight levels', nested(8)],
    ['1,000 bytes', 'x'.repeat(998)],
  ])('takes %s', (_, value) => {
    expect(jsonFault(value)).toBeUndefined();
  });
});

function nested(levels: number): Json {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

function loop(): unknown {
  const self: Record<string, unknown> = {};
  self.self = self;
  return self;
}
