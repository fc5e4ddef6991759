import { endpoint } from '../../../src/core/endpoint.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import { attribute, encodeMessage } from '../../../src/protocol/stun/index.ts';
import { createPacketRouter } from '../../../src/streams/packet-router.ts';
import { stunTransaction } from '../../../src/streams/stun-transaction.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { testClock, testRandom, testSocket } from '../../streams/stun/world.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateStun } from '../engine/mutate-stun.ts';
import { must, outcomeOf, type Target } from '../engine/target.ts';

const LOCAL = endpoint('192.168.1.2', 5000);
const SERVER = endpoint('203.0.113.1', 3478);
const STRANGER = endpoint('198.51.100.66', 6666);
/** The first that {@link testRandom} gives, so that the transaction below has it. */
const transactionId = testRandom().bytes(12);
const CONNECTION_ID = filled(16, 0x42);
const mapped = { type: 'xor-mapped-address', endpoint: endpoint('198.51.100.1', 40_000) } as const;

const responses = [
  encodeMessage({ class: 'success', method: 1, transactionId, attributes: [mapped] }, { fingerprint: true }),
  encodeMessage({
    class: 'success',
    method: 1,
    transactionId,
    attributes: [mapped, { type: 'other-address', endpoint: SERVER }],
  }),
  encodeMessage({
    class: 'error',
    method: 1,
    transactionId,
    attributes: [{ type: 'error-code', code: 500, reason: 'x' }],
  }),
  encodeMessage({ class: 'success', method: 1, transactionId, attributes: [] }),
];
const packets = [
  ...responses,
  encodeMessage({
    class: 'request',
    method: 1,
    transactionId,
    attributes: [{ type: 'username', value: 'left:right' }],
  }),
  encodeMessage({ class: 'indication', method: 1, transactionId, attributes: [] }),
  Buffer.concat([Buffer.of(0x43), CONNECTION_ID, filled(30, 1)]),
  Buffer.concat([Buffer.of(0xc3, 0, 0, 0, 1, 16), CONNECTION_ID, filled(1178, 2)]),
];

/** One datagram into a socket with a handler of each kind: it is counted once, and goes to whom it belongs or to nobody. */
export const packetRouter: Target = {
  name: 'packet-router',
  seeds: packets,
  mutate: (input, other, chance) => (chance.oneIn(2) ? mutateStun : mutateBytes)(input, other, chance),
  run: (input) =>
    [SERVER, STRANGER]
      .map((from) => {
        const socket = testSocket(LOCAL);
        const router = createPacketRouter(socket);
        const taken: string[] = [];
        router.onResponse(transactionId, SERVER, (message) => {
          must(Buffer.from(message.transactionId).equals(transactionId), 'a response goes to its transaction');
          taken.push('responses');
        });
        router.onRequest('left', (message) => {
          must(attribute(message, 'username')!.value.startsWith('left:'), 'a request goes to its agent');
          taken.push('requests');
        });
        router.onPacket(CONNECTION_ID, (bytes) => {
          must(Buffer.from(bytes).includes(Buffer.from(CONNECTION_ID)), 'a packet goes to its session');
          taken.push('packets');
        });
        socket.receive(input, from);
        router.close();
        const counted = Object.entries(router.counters).filter(([, count]) => count > 0);
        must(counted.length === 1 && counted[0]![1] === 1, 'each datagram is counted once', () => counted);
        const [name] = counted[0]!;
        must(
          taken.length === 0 ? !['responses', 'requests', 'packets'].includes(name) : taken[0] === name,
          'the count is right',
        );
        return name;
      })
      .join(' / '),
};

/** One datagram as the answer to a STUN transaction that waits: it ends with a binding, with a code, or waits on until its time is over. */
export const stunTransactionAnswer: Target = {
  name: 'stun-transaction',
  share: 0.6,
  seeds: responses,
  mutate: mutateStun,
  run(input) {
    const clock = testClock();
    const socket = testSocket(LOCAL);
    const router = createPacketRouter(socket);
    let end = 'none';
    stunTransaction({ router, server: SERVER, clock, random: testRandom() }).subscribe({
      next({ rtt }) {
        must(rtt >= 0, 'a round trip is a time');
        end = 'a binding';
      },
      error(error) {
        must(
          error instanceof TraversalError && error.code.startsWith('ERR_STUN_'),
          'an error has its code',
          () => error,
        );
        end = outcomeOf(error);
      },
    });
    socket.receive(input, SERVER);
    clock.advance(60_000);
    must(end !== 'none' && clock.pending === 0, 'a transaction ends and leaves no timer');
    must(socket.sent.length <= 7, 'a transaction sends at most 7 times');
    router.close();
    return end;
  },
};
