import { byteKey } from '../core/byte-key.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { asTraversalError, type TraversalError } from '../core/errors.ts';
import type { DatagramSocket } from '../core/network.ts';
import { isStunMessage, type StunMessage, transactionKey } from '../protocol/stun/index.ts';
import { isQuicPacket, requestedUfrag, tryDecodeStun } from './demultiplex.ts';

export type StunHandler = (message: StunMessage, from: Endpoint) => void;
/** `bytes` is valid during the call only. */
export type PacketHandler = (bytes: Uint8Array, from: Endpoint) => void;
/** Takes a handler back out; a later registration under the same key stays. */
export type Unregister = () => void;

/**
 * One UDP socket shared by everything a peer does. Packets are told apart by their first byte (RFC 9443) and handed on
 * by tables: STUN responses by transaction ID and source, STUN requests by the first part of USERNAME, QUIC by
 * destination connection ID. What nobody asked for is counted and dropped.
 *
 * Registering a key again replaces its handler. A handler that throws is reported by RxJS as an uncaught error, and the
 * router goes on.
 */
export interface PacketRouter {
  readonly socket: DatagramSocket;
  /** Success and error responses to one transaction; stays registered until taken out. */
  onResponse(transactionId: Uint8Array, from: Endpoint, handler: StunHandler): Unregister;
  /** Requests to the agent with this username fragment (RFC 8445 section 7.1.1). */
  onRequest(ufrag: string, handler: StunHandler): Unregister;
  /** QUIC packets to this connection ID, which has 16 bytes. */
  onPacket(connectionId: Uint8Array, handler: PacketHandler): Unregister;
  readonly counters: Readonly<RouterCounters>;
  /** Fulfils when the socket has ended: with the error when it broke. */
  readonly ended: Promise<TraversalError | undefined>;
  /** Closes the socket, which belongs to the router from its creation, and forgets all handlers. */
  close(): void;
}

/** Packets since the start. Each received one is counted once. */
export interface RouterCounters {
  responses: number;
  requests: number;
  packets: number;
  /** Binding indications, which only keep mappings alive (RFC 8445 section 11). */
  indications: number;
  /** STUN that cannot be decoded. */
  malformed: number;
  /** STUN or QUIC that no handler was registered for. */
  unclaimed: number;
  /** Neither STUN nor QUIC. */
  foreign: number;
}

/** Length in bytes of the connection IDs that are routed by. */
const CONNECTION_ID_LENGTH = 16;

export function createPacketRouter(socket: DatagramSocket): PacketRouter {
  const responses = new Map<string, StunHandler>();
  const requests = new Map<string, StunHandler>();
  const packets = new Map<string, PacketHandler>();
  const tables = [responses, requests, packets];
  const counters: RouterCounters = {
    responses: 0,
    requests: 0,
    packets: 0,
    indications: 0,
    malformed: 0,
    unclaimed: 0,
    foreign: 0,
  };

  const routeStun = (data: Uint8Array, from: Endpoint): void => {
    const message = tryDecodeStun(data);
    if (message === undefined) {
      counters.malformed++;
      return;
    }
    if (message.class === 'indication') {
      counters.indications++;
      return;
    }
    const isRequest = message.class === 'request';
    const handler = isRequest
      ? requests.get(requestedUfrag(message))
      : responses.get(responseKey(message.transactionId, from));
    counters[handler === undefined ? 'unclaimed' : isRequest ? 'requests' : 'responses']++;
    handler?.(message, from);
  };

  const routePacket = (data: Uint8Array, from: Endpoint): void => {
    const id = destinationConnectionId(data);
    const handler = id && packets.get(byteKey(id));
    counters[handler === undefined ? 'unclaimed' : 'packets']++;
    handler?.(data, from);
  };

  let end: (error?: TraversalError) => void;
  const ended = new Promise<TraversalError | undefined>((resolve) => {
    end = resolve;
  });
  const subscription = socket.datagrams$.subscribe({
    next({ data, from }) {
      if (isQuicPacket(data)) routePacket(data, from);
      else if (isStunMessage(data)) routeStun(data, from);
      else counters.foreign++;
    },
    error: (error) => end(asTraversalError(error, 'ERR_NETWORK')),
    complete: () => end(),
  });

  return {
    socket,
    counters,
    ended,
    onResponse: (transactionId, from, handler) => register(responses, responseKey(transactionId, from), handler),
    onRequest: (ufrag, handler) => register(requests, ufrag, handler),
    onPacket: (connectionId, handler) => register(packets, byteKey(connectionId), handler),
    close() {
      subscription.unsubscribe();
      for (const table of tables) table.clear();
      socket.close();
      end();
    },
  };
}

const LONG_HEADER = 0x80;

/** RFC 9000 section 17; `undefined` when the packet has none of our length. */
function destinationConnectionId(packet: Uint8Array): Uint8Array | undefined {
  const isLong = (packet[0]! & LONG_HEADER) !== 0;
  if (isLong && packet[5] !== CONNECTION_ID_LENGTH) return undefined;
  const start = isLong ? 6 : 1;
  const id = packet.subarray(start, start + CONNECTION_ID_LENGTH);
  return id.length === CONNECTION_ID_LENGTH ? id : undefined;
}

function register<Handler>(table: Map<string, Handler>, key: string, handler: Handler): Unregister {
  table.set(key, handler);
  return () => {
    if (table.get(key) === handler) table.delete(key);
  };
}

function responseKey(transactionId: Uint8Array, from: Endpoint): string {
  return `${transactionKey(transactionId)} ${formatEndpoint(from)}`;
}
