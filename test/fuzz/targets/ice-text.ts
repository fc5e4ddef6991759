import {
  type CandidateAttribute,
  decodeCandidateAttribute,
  encodeCandidateAttribute,
} from '../../../src/protocol/ice/candidate-attribute.ts';
import { decodeIceDescription, encodeIceDescription } from '../../../src/protocol/ice/ice-description.ts';
import { toldCandidate } from '../../../src/protocol/ice/told-candidate.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

const lines = [
  'candidate:1 1 udp 2130706431 192.168.1.2 4000 typ host',
  'a=candidate:x/+9 1 UDP 1694498815 198.51.100.1 40000 typ srflx raddr 192.168.1.2 rport 4000 generation 0 ufrag abcd',
  'candidate:2 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active',
  'candidate:3 2 udp 1 7f3c5a1e-2b4d.local 4000 typ relay raddr 0.0.0.0 rport 0',
];

/** The `candidate` attribute of a foreign agent (RFC 8839 section 5.1). */
export const candidateAttribute: Target = {
  name: 'candidate-attribute',
  seeds: lines.map((line) => Buffer.from(line)),
  mutate: mutateText,
  run(input) {
    const decoded = attempt(() => decodeCandidateAttribute(Buffer.from(input).toString('utf8')));
    if ('outcome' in decoded) return decoded.outcome;
    const attribute: CandidateAttribute = decoded.value;
    mustEqual(
      decodeCandidateAttribute(encodeCandidateAttribute(attribute)),
      attribute,
      'an attribute can be written and read again',
    );
    const told = toldCandidate(attribute);
    return told.type === 'ignored' ? told.reason : told.type;
  },
};

const pwd = 'a'.repeat(22);
const descriptions = [
  encodeIceDescription({
    ufrag: 'abcd',
    pwd,
    candidates: [lines[0]!, lines[2]!],
    end: true,
    options: ['ice2', 'trickle'],
  }),
  `v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=ice-ufrag:abcd\na=ice-pwd:${pwd}\na=ice-options:google-ice\n`,
];

/** A session description as a foreign agent gives it. */
export const iceDescription: Target = {
  name: 'ice-description',
  seeds: descriptions.map((text) => Buffer.from(text)),
  mutate: mutateText,
  run(input) {
    const decoded = attempt(() => decodeIceDescription(Buffer.from(input).toString('utf8')));
    if ('outcome' in decoded) return decoded.outcome;
    const description = decoded.value;
    must(!description.candidates.some((line) => line.includes('\n')), 'a line is a line');
    mustEqual(
      decodeIceDescription(encodeIceDescription(description)),
      description,
      'a description can be written and read again',
    );
    return `${description.candidates.length > 0 ? 'candidates' : 'none'}${description.end ? ', end' : ''}`;
  },
};
