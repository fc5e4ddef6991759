import { randomBytes } from 'node:crypto';
import { type Observable, Subject } from 'rxjs';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import {
  BINDING,
  type EncodableAttribute,
  encodeMessage,
  type StunMessage,
  shortTermKey,
} from '../../src/protocol/stun/index.ts';
import { isQuicPacket, tryDecodeStun } from '../../src/streams/demultiplex.ts';

/** A datagram that came to the attacker. */
export interface Heard {
  readonly data: Uint8Array;
  readonly from: Endpoint;
  readonly stun: StunMessage | undefined;
}

/** A UDP socket of somebody who is on no path between the victims: it sends from its own address and hears what comes there. */
export interface OffPath {
  readonly address: Endpoint;
  readonly heard: readonly Heard[];
  readonly datagrams$: Observable<Heard>;
  send(data: Uint8Array, to: Endpoint): void;
  close(): void;
}

/** Any free port of 127.0.0.1 by default. */
export async function openOffPath(port = 0): Promise<OffPath> {
  const socket = await nodeNetwork().udp({ family: 4, port, address: '127.0.0.1' });
  const heard: Heard[] = [];
  const datagrams = new Subject<Heard>();
  socket.datagrams$.subscribe(({ data, from }) => {
    const copy = Uint8Array.from(data);
    const one = { data: copy, from, stun: isQuicPacket(copy) ? undefined : tryDecodeStun(copy) };
    heard.push(one);
    datagrams.next(one);
  });
  return {
    address: endpoint('127.0.0.1', socket.local.port),
    heard,
    datagrams$: datagrams,
    send: (data, to) => void socket.send(data, to),
    close: () => socket.close(),
  };
}

export interface ForgedCheck {
  /** `<receiver's ufrag>:<sender's ufrag>`. */
  readonly username: string;
  /** The receiver's password; absent, the check is not signed. */
  readonly pwd?: string;
  readonly attributes?: readonly EncodableAttribute[];
}

/** The highest priority that a peer-reflexive candidate can ask for (RFC 8445 section 5.1.2). */
export const HIGHEST_PRIORITY = 2 ** 31 - 1;

/** A connectivity check as the controlling side would nominate with it (RFC 8445 section 7.2.2). */
export function checkOf({ username, pwd, attributes = NOMINATING }: ForgedCheck): Uint8Array {
  return encodeMessage(
    {
      class: 'request',
      method: BINDING,
      transactionId: randomBytes(12),
      attributes: [{ type: 'username', value: username }, ...attributes],
    },
    { ...(pwd !== undefined && { integrityKey: shortTermKey(pwd) }), fingerprint: true },
  );
}

const NOMINATING: readonly EncodableAttribute[] = [
  { type: 'priority', value: HIGHEST_PRIORITY },
  { type: 'ice-controlling', tieBreaker: 2n ** 64n - 1n },
  { type: 'use-candidate' },
];

/** A success response to a check that came from `from`; `pwd` is that of the side that was asked. */
export function answerTo(
  { transactionId }: Pick<StunMessage, 'transactionId'>,
  from: Endpoint,
  pwd: string,
): Uint8Array {
  return encodeMessage(
    { class: 'success', method: BINDING, transactionId, attributes: [{ type: 'xor-mapped-address', endpoint: from }] },
    { integrityKey: shortTermKey(pwd), fingerprint: true },
  );
}

/** An error response; without `pwd` it is not signed. */
export function errorTo({ transactionId }: Pick<StunMessage, 'transactionId'>, code: number, pwd?: string): Uint8Array {
  return encodeMessage(
    { class: 'error', method: BINDING, transactionId, attributes: [{ type: 'error-code', code, reason: 'forged' }] },
    { ...(pwd !== undefined && { integrityKey: shortTermKey(pwd) }), fingerprint: true },
  );
}
