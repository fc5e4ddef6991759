import { createMessageMeter } from '../../../src/server/message-meter.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { frame } from '../../server/raw-frames.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { must, mustEqual, type Target } from '../engine/target.ts';

/** The server's count of begun bytes in a client's WebSocket frames: the same however they are cut, and never more than have come. */
export const messageMeter: Target = {
  name: 'message-meter',
  seeds: [
    frame(0x1, filled(20, 1)),
    Buffer.concat([frame(0x1, filled(300, 1), { fin: false }), frame(0x9, filled(5, 2)), frame(0x0, filled(9, 3))]),
    frame(0x2, filled(10, 1), { length: 2 ** 40 }),
  ],
  mutate: mutateBytes,
  run(input) {
    const whole = createMessageMeter();
    whole.push(input);
    const pieces = createMessageMeter();
    const step = 1 + (input.length % 17);
    for (let at = 0; at < input.length; at += step) pieces.push(input.subarray(at, at + step));
    const counts = ({ begun, complete }: typeof whole): number[] => [begun, complete];
    mustEqual(counts(pieces), counts(whole), 'it does not matter how a stream is cut');
    must(whole.begun >= 0 && whole.begun <= input.length, 'no more has been begun than has come', () => whole.begun);
    must(whole.complete * 2 <= input.length, 'no more messages are complete than fit', () => whole.complete);
    return `${whole.begun > 0 ? 'begun' : 'none'}${whole.complete > 0 ? ', complete' : ''}`;
  },
};
