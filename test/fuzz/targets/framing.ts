import { createFrameDecoder, frameDatagram, MAX_FRAMED } from '../../../src/protocol/framing/frame.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

/** Datagrams on a TCP connection (RFC 4571): however the stream is cut, the same datagrams come out, and no long ones. */
export const tcpFrames: Target = {
  name: 'tcp-frames',
  share: 0.6,
  seeds: [
    frameDatagram(filled(20, 1)),
    Buffer.concat([filled(3, 1), filled(0, 0), filled(MAX_FRAMED, 2), filled(1, 3)].map(frameDatagram)),
    frameDatagram(filled(1200, 0x43)),
  ],
  mutate: mutateBytes,
  run(input) {
    const whole = attempt(() => createFrameDecoder().decode(input));
    const pieces = attempt(() => {
      const decoder = createFrameDecoder();
      const step = 1 + (input.length % 29);
      const datagrams: Uint8Array[] = [];
      for (let at = 0; at < input.length; at += step) {
        datagrams.push(...decoder.decode(input.subarray(at, at + step)).map((datagram) => Uint8Array.from(datagram)));
      }
      return datagrams;
    });
    mustEqual(plain(pieces), plain(whole), 'it does not matter how a stream is cut');
    if ('outcome' in whole) return whole.outcome;
    must(
      whole.value.every(({ length }) => length > 0 && length <= MAX_FRAMED),
      'a datagram has a length, and not too much',
    );
    const written = Buffer.concat(whole.value.map(frameDatagram));
    mustEqual(
      createFrameDecoder().decode(written).map(toHex),
      whole.value.map(toHex),
      'frames can be written and read again',
    );
    return whole.value.length === 0 ? 'nothing whole' : 'datagrams';
  },
};

function plain(result: ReturnType<typeof attempt<readonly Uint8Array[]>>): unknown {
  return 'value' in result ? result.value.map(toHex) : result;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
