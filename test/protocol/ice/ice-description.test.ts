import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import { decodeIceDescription, encodeIceDescription, type IceDescription } from '../../../src/protocol/ice/index.ts';

const credentials = 'a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n';

describe('an ICE description', () => {
  it('is read out of a session description, whatever else is in it', () => {
    const sdp = [
      'v=0',
      'o=- 42 2 IN IP4 127.0.0.1',
      'a=group:BUNDLE 0 1',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'a=ice-ufrag:8hhY',
      'a=ice-pwd:asd88fgpdd777uzjYhagZg',
      'a=ice-options:trickle ice2 google-ice',
      'a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host',
      'a=end-of-candidates',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=ice-ufrag:8hhY',
      'a=ice-pwd:asd88fgpdd777uzjYhagZg',
      'a=ice-options:trickle',
    ].join('\r\n');
    expect(decodeIceDescription(sdp)).toEqual({
      ufrag: '8hhY',
      pwd: 'asd88fgpdd777uzjYhagZg',
      candidates: ['candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host'],
      end: true,
      options: ['trickle', 'ice2', 'google-ice'],
    });
  });

  it.each([
    ['ice/ice-ufrag', 'a=ice-pwd:asd88fgpdd777uzjYhagZg'],
    ['ice/ice-pwd', 'a=ice-ufrag:8hhY'],
    ['ice/ice-ufrag', `${credentials}a=ice-ufrag:9uB6`],
    ['ice/ice-ufrag', 'a=ice-ufrag:8hh\na=ice-pwd:asd88fgpdd777uzjYhagZg'],
    ['ice/ice-ufrag', 'a=ice-ufrag:8h:Y\na=ice-pwd:asd88fgpdd777uzjYhagZg'],
    ['ice/ice-pwd', 'a=ice-ufrag:8hhY\na=ice-pwd:tooShortByOneCharacte'],
    ['ice/ice-pwd', `a=ice-ufrag:8hhY\na=ice-pwd:${'p'.repeat(257)}`],
    ['ice/ice-options', `${credentials}a=ice-options:trickle  ice2`],
  ])('is refused at %s: %j', (where, text) => {
    expect(() => decodeIceDescription(text)).toThrow(expect.objectContaining({ where }));
    expect(() => decodeIceDescription(text)).toThrow(DecodeError);
  });

  it('is read as it was written', () => {
    const iceChars = (minLength: number) =>
      fc.string({ unit: fc.constantFrom(...'ABab01+/'), minLength, maxLength: 256 });
    const description: fc.Arbitrary<IceDescription> = fc.record({
      ufrag: iceChars(4),
      pwd: iceChars(22),
      candidates: fc.array(fc.nat().map((port) => `candidate:1 1 udp 1 192.0.2.1 ${port % 65_536} typ host`)),
      end: fc.boolean(),
      options: fc.subarray(['ice2', 'trickle', 'rtp+ecn']),
    });
    fc.assert(
      fc.property(description, (told) => {
        expect(decodeIceDescription(encodeIceDescription(told))).toEqual(told);
      }),
    );
  });

  it('with credentials that are not ice-chars is not written', () => {
    const description = { ufrag: 'a\r\nb', pwd: 'asd88fgpdd777uzjYhagZg', candidates: [], end: false, options: [] };
    expect(() => encodeIceDescription(description)).toThrow(DecodeError);
  });
});
