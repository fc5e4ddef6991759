import { endpoint } from '../../../src/core/endpoint.ts';
import { classifyAddress } from '../../../src/core/ip-address.ts';
import {
  attribute,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  longTermKey,
} from '../../../src/protocol/stun/index.ts';
import {
  ALLOCATE,
  CHANNEL_BIND,
  CREATE_PERMISSION,
  createTurnClient,
  createTurnServer,
  createTurnStreamDecoder,
  DATA,
  decodeChannelData,
  encodeChannelData,
  type FiveTuple,
  isChannelData,
  REFRESH,
  SEND,
  type TurnClient,
  type TurnClientOutput,
  type TurnServer,
  type TurnServerAction,
} from '../../../src/protocol/turn/index.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { ALICE, PEER, SERVER, serverOptions } from '../../protocol/turn/bench.ts';
import { RawClient, UDP } from '../../protocol/turn/raw-client.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateStun, rawAttribute, splitAttributes, stunMessage, typeOf } from '../engine/mutate-stun.ts';
import { signStun } from '../engine/sign-stun.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

const ID = filled(12, 7);
const CHANNEL = 0x4000;
const peerAddress: EncodableAttribute = { type: 'xor-peer-address', endpoint: PEER };
const data: EncodableAttribute = { type: 'data', value: filled(9, 1) };
const relayed: EncodableAttribute = { type: 'xor-relayed-address', endpoint: endpoint('203.0.113.1', 50_000) };
const mapped: EncodableAttribute = { type: 'xor-mapped-address', endpoint: endpoint('192.0.2.10', 40_000) };
const lifetime: EncodableAttribute = { type: 'lifetime', value: 600 };

/** Of each method what a client says. */
const fromClient: readonly Uint8Array[] = [
  ...(
    [
      [ALLOCATE, [UDP, lifetime, { type: 'even-port', reserve: true }]],
      [ALLOCATE, [UDP, { type: 'requested-address-family', family: 6 }]],
      [ALLOCATE, [UDP, { type: 'additional-address-family', family: 6 }, { type: 'dont-fragment' }]],
      [ALLOCATE, [UDP, { type: 'reservation-token', value: filled(8, 3) }]],
      [REFRESH, [lifetime]],
      [REFRESH, [{ type: 'lifetime', value: 0 }]],
      [CREATE_PERMISSION, [peerAddress, { type: 'xor-peer-address', endpoint: endpoint('198.51.100.9', 0) }]],
      [CHANNEL_BIND, [{ type: 'channel-number', channel: CHANNEL + 1 }, peerAddress]],
      [0x001, []],
    ] as const
  ).map(([method, attributes]) => encodeMessage({ class: 'request', method, transactionId: ID, attributes })),
  encodeMessage({ class: 'indication', method: SEND, transactionId: ID, attributes: [peerAddress, data] }),
  encodeChannelData({ channel: CHANNEL, data: filled(9, 1) }),
];

/** And a server. */
const fromServer: readonly Uint8Array[] = [
  ...([ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND] as const).map((method) =>
    encodeMessage({ class: 'success', method, transactionId: ID, attributes: [relayed, mapped, lifetime] }),
  ),
  ...[300, 400, 401, 403, 437, 438, 441, 486, 508].map((code) =>
    encodeMessage({
      class: 'error',
      method: REFRESH,
      transactionId: ID,
      attributes: [
        { type: 'error-code', code, reason: 'no' },
        { type: 'realm', value: 'example.org' },
        { type: 'nonce', value: 'obMatJos2wAAAx' },
        { type: 'password-algorithms', algorithms: [{ algorithm: 2, parameters: new Uint8Array(0) }] },
        { type: 'alternate-server', endpoint: endpoint('203.0.113.2', 3478) },
      ],
    }),
  ),
  encodeMessage({
    class: 'indication',
    method: DATA,
    transactionId: ID,
    attributes: [peerAddress, { type: 'icmp', icmpType: 3, icmpCode: 4, errorData: 1280 }, data],
  }),
  encodeChannelData({ channel: CHANNEL, data: filled(9, 1) }),
];

/** ChannelData in a datagram. */
export const channelData: Target = {
  name: 'channel-data',
  share: 0.4,
  seeds: [filled(0, 0), filled(1, 1), filled(1200, 2)].map((each) =>
    encodeChannelData({ channel: CHANNEL, data: each }, true),
  ),
  mutate: mutateBytes,
  run(input) {
    const decoded = attempt(() => decodeChannelData(input));
    must('value' in decoded || !isChannelData(input) || input.length < 0x1_0003, 'what is long enough is read');
    if ('outcome' in decoded) return decoded.outcome;
    const bytes = encodeChannelData(decoded.value);
    mustEqual(bytes, Uint8Array.from(input.subarray(0, bytes.length)), 'what was read can be written again');
    return bytes.length === input.length ? 'ChannelData' : 'ChannelData, padded';
  },
};

/** TURN on a stream: however it is cut, the same messages come out, or none. */
export const turnStream: Target = {
  name: 'turn-stream',
  share: 0.4,
  seeds: [
    Buffer.concat(fromClient.slice(0, 4)),
    Buffer.concat([
      fromServer[0]!,
      encodeChannelData({ channel: CHANNEL, data: filled(5, 1) }, true),
      encodeChannelData({ channel: CHANNEL, data: filled(0, 1) }, true),
      fromServer.at(-2)!,
    ]),
  ],
  mutate: mutateBytes,
  run(input) {
    const whole = attempt(() =>
      createTurnStreamDecoder()
        .decode(input)
        .map((each) => Uint8Array.from(each)),
    );
    const seen: Uint8Array[] = [];
    const pieces = attempt(() => {
      const decoder = createTurnStreamDecoder();
      const step = 1 + (input.length % 29);
      for (let at = 0; at < input.length; at += step) {
        seen.push(...decoder.decode(input.subarray(at, at + step)).map((each) => Uint8Array.from(each)));
      }
    });
    const both = [...('value' in whole ? whole.value : []), ...seen];
    must(
      both.every((each) => each.length % 4 === 0 && each.length <= 0x1_0014),
      'messages are aligned, and bounded',
    );
    if ('value' in whole && 'value' in pieces) mustEqual(seen, whole.value, 'it does not matter how a stream is cut');
    if ('outcome' in whole) return whole.outcome;
    return both.length > 0 ? 'messages' : 'none yet';
  },
};

const FOREIGN: FiveTuple = { transport: 'udp', client: endpoint('192.0.2.66', 6666), server: SERVER };
/** Who asks is known by these (RFC 8489 section 9.2). */
const CREDENTIALS: readonly number[] = [0x0006, 0x0014, 0x0015, 0x001d, 0x001e, 0x8002];

/**
 * A server with an allocation that has a permission and a channel: it is told the input by a stranger, by its client, and, signed, by that
 * and by somebody without allocation.
 */
export const turnServer: Target = {
  name: 'turn-server',
  share: 0.05,
  maxTime: 200,
  seeds: fromClient,
  mutate: mutateStun,
  run(input) {
    const server = createTurnServer(serverOptions({ random: seededChance(5) }));
    const client = new RawClient(server);
    const nonce = attribute(client.askOnce(ALLOCATE, [UDP])!, 'nonce')!.value;
    const own = attribute(client.allocate()!, 'xor-relayed-address')!.endpoint;
    client.ask(CHANNEL_BIND, [{ type: 'channel-number', channel: CHANNEL }, peerAddress]);
    const newcomer = new RawClient(server, { port: 9 });
    const freshNonce = attribute(newcomer.askOnce(ALLOCATE, [UDP])!, 'nonce')!.value;
    const outcomes = [
      hear(server, newcomer.tuple, signedByAlice(input, freshNonce), { permitted: false, known: true }),
      hear(server, FOREIGN, input, { permitted: false, known: false }),
      hear(server, client.tuple, input, { permitted: true, known: false }),
      hear(server, client.tuple, signedByAlice(input, nonce), { permitted: true, known: true }),
    ];
    watch(server, server.receiveFromPeer(input, PEER, own, 20), [client.tuple]);
    must(server.counters.allocations <= 2, 'nobody has more than was asked for');
    watch(server, server.expire(4_000_000), []);
    must(server.counters.allocations === 0 && server.wakeAt === undefined, 'nothing lives for ever');
    return outcomes.join(', ');
  },
};

/** Hands the server a message, and says what became of it. */
function hear(
  server: TurnServer,
  from: FiveTuple,
  bytes: Uint8Array,
  { permitted, known }: { permitted: boolean; known: boolean },
): string {
  const before = server.counters.allocations;
  const actions = watch(server, server.receive(bytes, from, 10), [from]);
  const kinds = actions.map((action) => {
    if (action.type === 'relay') must(permitted, 'only a client with an allocation sends to peers');
    if (action.type !== 'send') return action.type;
    const answer = decodeMessage(action.bytes);
    must(answer.class !== 'request' && answer.class !== 'indication', 'what is answered is a response');
    const code = attribute(answer, 'error-code')?.code;
    if (!known) {
      must(code !== undefined || answer.method === 0x001, 'nothing is granted to who has no credentials');
      must(28 + action.bytes.length < 3 * (28 + bytes.length), 'an answer is not three times as long as its request');
    }
    return code === undefined ? 'success' : `error ${code}`;
  });
  must(known || server.counters.allocations === before, 'nothing changes without credentials');
  return kinds.join(' ') || 'nothing';
}

/** The actions and those that follow from binding what is to be bound; checks what holds for all. */
function watch(
  server: TurnServer,
  actions: readonly TurnServerAction[],
  clients: readonly FiveTuple[],
): TurnServerAction[] {
  must(actions.length <= 2, 'little is done for one message', () => actions);
  return actions.flatMap((action) => {
    if (action.type === 'relay') {
      must(classifyAddress(action.to.address) === 'public' && action.to.port > 0, 'peers are public', () => action.to);
    } else if (action.type === 'send') {
      must(clients.includes(action.to), 'an answer goes to who asked, data to whose allocation it is');
    }
    const next = action.type === 'bind' ? watch(server, server.bound(action.relayed, 10), clients) : [];
    return [action, ...next];
  });
}

/** The message with alice's credentials in place of those that it has. */
function signedByAlice(message: Uint8Array, nonce: string): Uint8Array {
  const others = splitAttributes(message).filter((one) => !CREDENTIALS.includes(typeOf(one)));
  const attributes = [
    rawAttribute(0x0014, Buffer.from('example.org')),
    rawAttribute(0x0015, Buffer.from(nonce)),
    ...others,
  ];
  const header = Uint8Array.from({ length: 20 }, (_, i) => message[i] ?? 0);
  return signStun(stunMessage(header, attributes), { key: KEY, username: ALICE.username });
}

const KEY = longTermKey(ALICE.username, 'example.org', ALICE.password);

/** A client with an allocation and requests under way hears the input: from a stranger, as it is, and as the signed answer to each request. */
export const turnClient: Target = {
  name: 'turn-client',
  share: 0.1,
  seeds: fromServer,
  mutate: mutateStun,
  run(input) {
    const client = createTurnClient({ server: SERVER, random: seededChance(6), ...ALICE });
    client.handle({ type: 'allocate' }, 0);
    const challenge = answering(client, 'error', [
      { type: 'error-code', code: 401, reason: '' },
      { type: 'realm', value: 'example.org' },
      { type: 'nonce', value: 'n' },
    ]);
    client.handle({ type: 'received', bytes: challenge, from: SERVER }, 0);
    const grant = signStun(answering(client, 'success', [relayed, mapped, lifetime]), { key: KEY });
    client.handle({ type: 'received', bytes: grant, from: SERVER }, 0);
    client.handle({ type: 'bind', peer: PEER }, 0);
    const bind = answering(client, 'success', []);
    client.handle({ type: 'received', bytes: signStun(bind, { key: KEY }), from: SERVER }, 0);
    outputsOf(client, 0);
    client.handle({ type: 'permit', peer: PEER }, 0);
    client.handle({ type: 'received', bytes: input, from: FOREIGN.client }, 0);
    const [request, ...none] = outputsOf(client, 0);
    must(none.length === 0 && request?.type === 'transmit', 'a stranger is not listened to');
    const { transactionId } = decodeMessage((request as { bytes: Uint8Array }).bytes);
    const seen: TurnClientOutput[] = [];
    for (const bytes of [input, signStun(input, { key: KEY, transactionId })]) {
      client.handle({ type: 'received', bytes, from: SERVER }, 0);
      seen.push(...outputsOf(client, 0));
    }
    must(seen.length <= 3, 'little comes of a message', () => seen);
    for (const output of seen) {
      if (output.type === 'data') mustEqual(output.peer.address, PEER.address, 'data is of a peer that was let in');
      if (output.type === 'transmit') mustEqual(output.to, SERVER, 'an allocation stays where it is');
    }
    client.handle({ type: 'close' }, 1_000);
    const rest = [0, 500, 1_500, 3_500].flatMap((ms) => outputsOf(client, 1_000 + ms));
    const ends = [...seen, ...rest].filter(
      (output) => output.type === 'event' && (output.event.type === 'ended' || output.event.type === 'failed'),
    );
    must(ends.length === 1, 'it ends once', () => ends);
    return seen.map((output) => (output.type === 'event' ? output.event.type : output.type)).join(' ') || 'nothing';
  },
};

/** A response to the request that the client sends next. */
function answering(
  client: TurnClient,
  kind: 'success' | 'error',
  attributes: readonly EncodableAttribute[],
): Uint8Array {
  const request = outputsOf(client, 0).findLast((output) => output.type === 'transmit');
  const { method, transactionId } = decodeMessage((request as { bytes: Uint8Array }).bytes);
  return encodeMessage({ class: kind, method, transactionId, attributes });
}

function outputsOf(client: TurnClient, now: number): TurnClientOutput[] {
  const outputs: TurnClientOutput[] = [];
  for (let output = client.poll(now); output.type !== 'wait'; output = client.poll(now)) outputs.push(output);
  return outputs;
}
