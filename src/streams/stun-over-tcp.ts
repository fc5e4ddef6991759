import type { Binding } from '../core/binding.ts';
import type { Clock } from '../core/clock.ts';
import type { ByteSocket } from '../core/network.ts';
import type { Random } from '../core/random.ts';
import { within } from '../core/within.ts';
import {
  BINDING,
  createStunStreamDecoder,
  decodeMessage,
  encodeMessage,
  type StunMessage,
  transactionKey,
} from '../protocol/stun/index.ts';
import { readBindingResponse, stunFailure } from './binding-response.ts';

export interface StunOverTcpOptions {
  /** Connected to the server. It is nobody else's to read until the transaction is over, and stays open then. */
  readonly socket: ByteSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** ms; 39.5 s by default, the Ti of RFC 8489 section 6.2.2. */
  readonly timeout?: number;
}

/**
 * One Binding transaction on a TCP connection (RFC 8489 section 6.2.2): one request, which TCP sees to. What the server observed is how the
 * NAT maps the connection's port. A connection whose transaction has failed is of no more use: its caller destroys it.
 *
 * Errors: `ERR_TIMEOUT`; `ERR_STUN_RESPONSE` when the answer is an error, lacks XOR-MAPPED-ADDRESS, or has attributes that must be understood
 * and are not, or when the server ends the connection; `ERR_DECODE` for what is not STUN; what `signal` was aborted with; those of
 * `ByteSocket.read`.
 */
export async function stunOverTcp(options: StunOverTcpOptions): Promise<Binding> {
  const { socket, clock, random, signal, timeout = 39_500 } = options;
  const { remote: server, local } = socket;
  const transactionId = random.bytes(12);
  const request = { class: 'request', method: BINDING, transactionId, attributes: [] } as const;
  const sentAt = clock.now();
  const message = await within(clock, 'asking a STUN server over TCP', timeout, signal, async () => {
    await socket.write(encodeMessage(request, { fingerprint: true }));
    return readResponse(socket, transactionId);
  });
  const response = message === undefined ? 'ended the connection' : readBindingResponse(message);
  if (typeof response === 'string') throw stunFailure('ERR_STUN_RESPONSE', server, response);
  const rtt = clock.now() - sentAt;
  return { server, local, mapped: response.mapped, rtt, ...(response.other && { other: response.other }) };
}

/** `undefined` when the server ends the connection first. What answers another request is passed over. */
async function readResponse(socket: ByteSocket, transactionId: Uint8Array): Promise<StunMessage | undefined> {
  const decoder = createStunStreamDecoder(LONGEST_RESPONSE);
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
    for (const bytes of decoder.decode(chunk)) {
      const message = decodeMessage(bytes);
      const isResponse = message.class === 'success' || message.class === 'error';
      if (isResponse && transactionKey(message.transactionId) === transactionKey(transactionId)) return message;
    }
  }
  return undefined;
}

/** Bytes: what a datagram could hold. */
const LONGEST_RESPONSE = 1500;
