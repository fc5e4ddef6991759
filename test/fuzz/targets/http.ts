import { decodeRequestHead, MAX_HEAD } from '../../../src/server/request-head.ts';
import { upgradeRequest } from '../../server/raw-frames.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

/** What a TCP client says first: it is a whole head, a part of one, or refused, and it does not matter what follows it. */
export const requestHead: Target = {
  name: 'request-head',
  seeds: [
    upgradeRequest(),
    upgradeRequest([
      'Authorization: Bearer secret',
      'X-Forwarded-For: 192.0.2.1, 198.51.100.2',
      'Empty:',
      'Empty: \t ',
    ]),
    'GET /healthz HTTP/1.0\r\n\r\nand more',
  ].map((text) => Buffer.from(text, 'latin1')),
  mutate: mutateText,
  run(input) {
    const bytes = Buffer.from(input);
    const decoded = attempt(() => decodeRequestHead(bytes));
    if ('outcome' in decoded) return decoded.outcome;
    const head = decoded.value;
    if (head === undefined) return 'incomplete';
    must(head.length <= Math.min(input.length, MAX_HEAD + 4), 'a head is not longer than it may be', () => head.length);
    mustEqual(decodeRequestHead(bytes.subarray(0, head.length)), head, 'what follows a head does not change it');
    const padded = [...head.fields.values()].filter((value) => /^[ \t]/.test(value));
    must(padded.length === 0, 'a value has no white space before it', () => padded);
    return `${head.method === 'GET' ? 'GET' : 'another method'}${head.fields.has('upgrade') ? ', upgrade' : ''}`;
  },
};
