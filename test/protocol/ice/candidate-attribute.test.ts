import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import {
  type CandidateAttribute,
  decodeCandidateAttribute,
  encodeCandidateAttribute,
} from '../../../src/protocol/ice/index.ts';

describe('a candidate attribute', () => {
  it('reads the examples of RFC 8839 section 5.1', () => {
    const host = 'a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host';
    expect(decodeCandidateAttribute(host)).toEqual({
      foundation: '1',
      component: 1,
      transport: 'udp',
      priority: 2_130_706_431,
      address: '203.0.113.141',
      port: 8998,
      type: 'host',
      extensions: [],
    });
    const reflexive = 'candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998';
    expect(decodeCandidateAttribute(reflexive)).toMatchObject({
      type: 'srflx',
      relatedAddress: '203.0.113.141',
      relatedPort: 8998,
    });
  });

  it('keeps what it does not know', () => {
    const line = 'candidate:a+/9 256 sctp 1 name.example 0 typ novel generation 0 ufrag EsAw network-id  x y';
    const attribute = decodeCandidateAttribute(line);
    expect(attribute).toMatchObject({ component: 256, transport: 'sctp', address: 'name.example', type: 'novel' });
    expect(attribute.extensions).toEqual([
      ['generation', '0'],
      ['ufrag', 'EsAw'],
      ['network-id', ''],
      ['x', 'y'],
    ]);
    expect(encodeCandidateAttribute(attribute)).toBe(line);
  });

  it.each([
    ['candidate:7 1 tcp 1 192.0.2.1 9 typ host tcptype active', [['tcptype', 'active']]],
    ['candidate:7 1 udp 1 2001:db8::1 9 typ host', []],
    ['candidate:7 1 udp 1 0f1e2d3c-0000-4000-8000-000000000000.local 9 typ host', []],
    ['candidate:7 1 udp 1 192.0.2.1 9 typ relay raddr :: rport 0', []],
  ])('reads %s', (line, extensions) => {
    expect(decodeCandidateAttribute(line).extensions).toEqual(extensions);
    expect(encodeCandidateAttribute(decodeCandidateAttribute(line))).toBe(line);
  });

  it.each([
    ['name', ''],
    ['name', 'a=candidates:1 1 udp 1 192.0.2.1 9 typ host'],
    ['name', 'Candidate:1 1 udp 1 192.0.2.1 9 typ host'],
    ['length', `candidate:1 1 udp 1 192.0.2.1 9 typ host x ${'y'.repeat(1000)}`],
    ['foundation', 'candidate:+-+ 1 udp 1 192.0.2.1 9 typ host'],
    ['foundation', `candidate:${'f'.repeat(33)} 1 udp 1 192.0.2.1 9 typ host`],
    ['component', 'candidate:1 0 udp 1 192.0.2.1 9 typ host'],
    ['component', 'candidate:1 257 udp 1 192.0.2.1 9 typ host'],
    ['transport', 'candidate:1 1 u/dp 1 192.0.2.1 9 typ host'],
    ['priority', 'candidate:1 1 udp 0 192.0.2.1 9 typ host'],
    ['priority', 'candidate:1 1 udp 2147483648 192.0.2.1 9 typ host'],
    ['priority', 'candidate:1 1 udp 1e3 192.0.2.1 9 typ host'],
    ['priority', 'candidate:1 1 udp -1 192.0.2.1 9 typ host'],
    ['address', 'candidate:1 1 udp 1 192.0.2.256 9 typ host'],
    ['address', 'candidate:1 1 udp 1 fe80::1%eth0 9 typ host'],
    ['address', 'candidate:1 1 udp 1 -x.local 9 typ host'],
    ['address', `candidate:1 1 udp 1 ${'a.'.repeat(127)}a 9 typ host`],
    ['port', 'candidate:1 1 udp 1 192.0.2.1 65536 typ host'],
    ['typ', 'candidate:1 1 udp 1 192.0.2.1 9 type host'],
    ['typ', 'candidate:1 1 udp 1 192.0.2.1  9 typ host'],
    ['type', 'candidate:1 1 udp 1 192.0.2.1 9 typ'],
    ['raddr', 'candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr 1.2.3 rport 9'],
    ['rport', 'candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr 192.0.2.2 rport x'],
    ['extension-value', 'candidate:1 1 udp 1 192.0.2.1 9 typ host generation'],
    ['extension', 'candidate:1 1 udp 1 192.0.2.1 9 typ host  0'],
    ['extension-value', 'candidate:1 1 udp 1 192.0.2.1 9 typ host x \u0007'],
    ['extension-value', 'candidate:1 1 udp 1 192.0.2.1 9 typ host x y\r\na=ice-ufrag:evil'],
  ])('refuses a bad %s: %j', (field, line) => {
    expect(() => decodeCandidateAttribute(line)).toThrow(new DecodeError(`ice/candidate/${field}`));
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(attributes, (attribute) => {
        expect(decodeCandidateAttribute(encodeCandidateAttribute(attribute))).toEqual(attribute);
      }),
    );
  });

  it('of any text is read, or refused with a DecodeError', () => {
    const words = fc.array(
      fc.oneof(fc.constantFrom('1', 'udp', '192.0.2.1', '9', 'typ', 'host', 'raddr', 'rport', ''), fc.string()),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(words, (parts) => {
        try {
          expect(decodeCandidateAttribute(`candidate:${parts.join(' ')}`).component).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('is not written when it would be read as something else', () => {
    const attribute = decodeCandidateAttribute('candidate:1 1 udp 1 192.0.2.1 9 typ host');
    const hostile = [
      { ...attribute, foundation: '1 1 udp 1 192.0.2.9 9 typ host\r\na=candidate:2' },
      { ...attribute, component: 1.5 },
      { ...attribute, extensions: [['x', 'y z']] as const },
      { ...attribute, address: '' },
    ];
    for (const each of hostile) expect(() => encodeCandidateAttribute(each)).toThrow(RangeError);
  });
});

const characters = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

const ICE_CHARS = 'ABCXYZabcxyz0123456789+/';
const TOKEN_CHARS = "abcxyz0123456789-.!%*_+`'~";
const port = fc.integer({ min: 0, max: 65_535 });
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
  fc.uuid().map((uuid) => `${uuid}.local`),
);

const attributes: fc.Arbitrary<CandidateAttribute> = fc.record(
  {
    foundation: characters(ICE_CHARS, 1, 32),
    component: fc.integer({ min: 1, max: 256 }),
    transport: fc.oneof(fc.constantFrom('udp', 'tcp'), characters(TOKEN_CHARS, 1, 8)),
    priority: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    address,
    port,
    type: fc.oneof(fc.constantFrom('host', 'srflx', 'prflx', 'relay'), characters(TOKEN_CHARS, 1, 8)),
    relatedAddress: address,
    relatedPort: port,
    extensions: fc.array(
      fc.tuple(
        characters(TOKEN_CHARS, 1, 12).filter((name) => name !== 'raddr' && name !== 'rport'),
        characters('!~:azAZ09/=,', 0, 12),
      ),
      { maxLength: 6 },
    ),
  },
  {
    requiredKeys: ['foundation', 'component', 'transport', 'priority', 'address', 'port', 'type', 'extensions'],
  },
);
