import { isAdmissible, isFirstPacket } from '../../../src/adapters/session/quic/admissible.ts';
import { ControlDecoder, type ControlMessage, encodeControl, MAX_NOTE } from '../../../src/protocol/session/control.ts';
import {
  decodePrefaceHeader,
  decodePrefaceName,
  encodePreface,
  PREFACE_HEADER,
} from '../../../src/protocol/session/preface.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

export const quicPreface: Target = {
  name: 'quic-preface',
  seeds: ['x', 'sallyport/echo', 'ä€😀', 'p'.repeat(64)].map(encodePreface),
  mutate: mutateBytes,
  run(input) {
    if (input.length < PREFACE_HEADER) return 'cut';
    const read = attempt(() => {
      const length = decodePrefaceHeader(input);
      const name = input.subarray(PREFACE_HEADER, PREFACE_HEADER + length);
      return name.length < length ? undefined : decodePrefaceName(name);
    });
    if ('outcome' in read) return read.outcome;
    if (read.value === undefined) return 'cut';
    const again = encodePreface(read.value);
    mustEqual(again, input.subarray(0, again.length), 'a preface has one spelling');
    return 'a name';
  },
};

const controlMessages: readonly ControlMessage[] = [
  { type: 'finished', streamId: 4 },
  { type: 'abandoned', streamId: 2 ** 48 - 1 },
  { type: 'close', code: 7, reason: '' },
  { type: 'close', code: 2 ** 48 - 1, reason: 'ä'.repeat(127) },
  { type: 'note', bytes: Buffer.of(0x03) },
  { type: 'note', bytes: Buffer.alloc(MAX_NOTE, 0x03) },
];

/** However the bytes are cut, the same messages come out of them, or the same error after the same messages. */
export const quicControl: Target = {
  name: 'quic-control',
  seeds: [Buffer.concat(controlMessages.map(encodeControl)), ...controlMessages.map(encodeControl)],
  mutate: mutateBytes,
  run(input) {
    const whole = attempt(() => new ControlDecoder().push(input));
    const pieces = attempt(() => {
      const decoder = new ControlDecoder();
      const step = 1 + (input.length % 13);
      const messages: ControlMessage[] = [];
      for (let at = 0; at < input.length; at += step) messages.push(...decoder.push(input.subarray(at, at + step)));
      return messages;
    });
    mustEqual(pieces, whole, 'it does not matter how a stream is cut');
    if ('outcome' in whole) return whole.outcome;
    must(whole.value.length * 4 <= input.length, 'no more messages than fit');
    for (const message of whole.value) {
      const again = encodeControl(message);
      if (message.type !== 'close') mustEqual(new ControlDecoder().push(again), [message], 'a message can be written');
    }
    return `${[...new Set(whole.value.map(({ type }) => type))].sort().join(' ')}.`;
  },
};

/** The filter in front of quiche. */
export const quicAdmissible: Target = {
  name: 'quic-admissible',
  share: 2,
  seeds: [
    Buffer.concat([Buffer.of(0xc3, 0, 0, 0, 1, 16), filled(16, 1), Buffer.of(16), filled(1161, 2)]),
    Buffer.concat([Buffer.of(0xe3, 0, 0, 0, 1, 16), filled(16, 1), filled(100, 2)]),
    Buffer.concat([Buffer.of(0x43), filled(40, 1)]),
    Buffer.concat([Buffer.of(0xc3, 0, 0, 0, 0, 16), filled(16, 1), filled(40, 2)]),
  ],
  mutate: mutateBytes,
  run(input) {
    const admissible = isAdmissible(input);
    const first = isFirstPacket(input);
    if (!admissible) return first ? 'looks like a first one' : 'none';
    must(input.length >= 37 && input.length <= 1200, 'what is let in has a packet’s length', () => input.length);
    must((input[0]! & 0x40) !== 0, 'what is let in has the fixed bit');
    return `${input[0]! >> 4}${first ? ', first' : ''}`;
  },
};
