import { transportOf } from '../core/candidate.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { ByteSocket, Network } from '../core/network.ts';
import { type IceOutput, type LocalSocket, pairId } from '../protocol/ice/index.ts';
import { isStunMessage, type StunMessage, transactionKey } from '../protocol/stun/index.ts';
import { isQuicPacket, tryDecodeStun } from './demultiplex.ts';
import { createFramedSocket, type FramedSocket } from './framed-socket.ts';
import type { Caller } from './tcp-lobby.ts';

/**
 * The TCP connections of one ICE agent, one a candidate pair (RFC 6544 sections 7 and 11). Each carries the pair's
 * checks both ways, its consent and, once it is valid, packets of the session. A connection lives as long as its pair
 * is valid or checked, and where it does not become valid, 5 s at most.
 */
export interface TcpPairs {
  /**
   * Takes in a connection that named the agent. One whose request proves no password, or is a repetition, is closed. Of
   * more than eight the oldest whose pair is not valid gives way; where all are, the new one.
   */
  accept(caller: Caller): void;
  /**
   * Sends what the agent transmits over TCP. A request of an active candidate opens the connection where there is none,
   * at most four at once. A requester that proved no password hears nothing: its connection is closed.
   */
  transmit(transmission: Extract<IceOutput, { type: 'transmit' }>): void;
  /** No response to this request is of interest any more. */
  settle(transactionId: Uint8Array): void;
  /** The pair is valid. */
  keep(pairId: string): void;
  /** Closes the connections whose checks are over, and whose pair is not valid. */
  tidy(): void;
  /** Sends a packet of the session; false when it was dropped. */
  send(pairId: string, packet: Uint8Array): boolean;
  close(pairId: string): void;
  /** Closes all. */
  stop(): void;
}

export interface TcpPairsOptions {
  readonly network: Pick<Network, 'connect'>;
  readonly clock: Clock;
  readonly on: {
    message(message: StunMessage, on: LocalSocket, from: Endpoint): void;
    /** A packet of the session, on a connection whose other end has proven a password; valid during the call only. */
    packet(packet: Uint8Array, pairId: string): void;
    /** A connection could not be opened, or has ended by itself. */
    ended(on: LocalSocket, to: Endpoint): void;
  };
}

/** Connections that are being opened at once. */
const MAX_CONNECTING = 4;
/** ms until a connection must be open: a lost SYN is sent again after a second (RFC 6298 section 2). */
const CONNECT_TIME = 2500;
/** ms from the opening of a connection until its pair must be valid: a round trip, and time for lost segments. */
const PROOF_TIME = 5000;
/** Connections that were accepted for one agent. */
const MAX_ACCEPTED = 8;

export function createTcpPairs({ network, clock, on }: TcpPairsOptions): TcpPairs {
  const pairs = new Map<string, TcpPair>();
  /** Those that are to be opened, first come, first served. */
  const queue: TcpPair[] = [];
  let connecting = 0;

  const add = (local: LocalSocket, to: Endpoint): TcpPair => {
    const abort = new AbortController();
    const pair: TcpPair = {
      id: pairId(local, to),
      local,
      to,
      abort,
      requests: new Map(),
      verified: false,
      checked: false,
      valid: false,
    };
    pairs.set(pair.id, pair);
    return pair;
  };

  /** False when the pair was closed before. */
  const remove = (pair: TcpPair): boolean => {
    if (pairs.get(pair.id) !== pair) return false;
    pairs.delete(pair.id);
    pair.abort.abort();
    clock.clearTimeout(pair.deadline);
    pair.socket?.close();
    return true;
  };

  const lose = (pair: TcpPair): void => {
    if (remove(pair)) on.ended(pair.local, pair.to);
  };

  const openNext = (): void => {
    while (connecting < MAX_CONNECTING) {
      const next = queue.shift();
      if (next === undefined) return;
      if (pairs.get(next.id) === next) open(next);
    }
  };

  const open = (pair: TcpPair): void => {
    const { to, abort } = pair;
    connecting++;
    const timer = clock.setTimeout(() => abort.abort(), CONNECT_TIME);
    const opened = (socket: ByteSocket): void => {
      if (pairs.get(pair.id) === pair) join(pair, createFramedSocket(socket));
      else socket.destroy();
    };
    const settled = (): void => {
      clock.clearTimeout(timer);
      connecting--;
      openNext();
    };
    // Refused, unreachable or too late: that the pair has ended is all there is to tell.
    const failed = (): void => lose(pair);
    void network
      .connect({ host: to.address, port: to.port, signal: abort.signal })
      .then(opened, failed)
      .finally(settled);
  };

  const join = (pair: TcpPair, socket: FramedSocket): void => {
    pair.socket = socket;
    const end = (): void => lose(pair);
    pair.deadline = clock.setTimeout(end, PROOF_TIME);
    socket.datagrams$.subscribe({ next: (datagram) => route(pair, datagram), error: end, complete: end });
    for (const request of pair.requests.values()) socket.sendCheck(request);
  };

  /** What is neither STUN nor QUIC was sent by nobody that belongs here. */
  const route = (pair: TcpPair, datagram: Uint8Array): void => {
    if (isQuicPacket(datagram)) {
      if (pair.valid || pair.local.tcpType === 'passive') on.packet(datagram, pair.id);
      return;
    }
    const message = isStunMessage(datagram) ? tryDecodeStun(datagram) : undefined;
    if (message === undefined) lose(pair);
    else on.message(message, pair.local, pair.to);
  };

  return {
    accept({ socket, request, base }) {
      const local: LocalSocket = { transport: 'tcp', tcpType: 'passive', base };
      const accepted = [...pairs.values()].filter(({ local }) => local.tcpType === 'passive');
      const isFull = accepted.length >= MAX_ACCEPTED;
      const weakest = accepted.find(({ valid }) => !valid);
      if ((isFull && weakest === undefined) || pairs.has(pairId(local, socket.remote))) {
        socket.close();
        return;
      }
      const pair = add(local, socket.remote);
      join(pair, socket);
      on.message(request, pair.local, pair.to);
      // The agent has judged the request by now, and answered it if it was a check.
      if (!pair.verified) lose(pair);
      else if (isFull && weakest !== undefined) lose(weakest);
    },
    transmit(transmission) {
      const { to, bytes, transactionId, request, verified } = transmission;
      let pair = pairs.get(pairId(transmission, to));
      if (pair === undefined) {
        if (!request || transmission.tcpType !== 'active') return;
        pair = add({ base: transmission.base, ...transportOf(transmission) }, to);
        queue.push(pair);
      }
      if (!verified) {
        lose(pair);
        return;
      }
      pair.verified = true;
      if (request) pair.requests.set(transactionKey(transactionId), bytes);
      pair.socket?.sendCheck(bytes);
      openNext();
    },
    settle(transactionId) {
      for (const pair of pairs.values()) {
        if (pair.requests.delete(transactionKey(transactionId))) pair.checked = true;
      }
    },
    keep(id) {
      const pair = pairs.get(id);
      if (pair === undefined) return;
      pair.valid = true;
      clock.clearTimeout(pair.deadline);
    },
    tidy() {
      for (const pair of pairs.values()) {
        if (pair.checked && !pair.valid && pair.requests.size === 0) remove(pair);
      }
    },
    send: (id, packet) => pairs.get(id)?.socket?.send(packet) ?? false,
    close(id) {
      const pair = pairs.get(id);
      if (pair !== undefined) remove(pair);
    },
    stop() {
      for (const pair of pairs.values()) remove(pair);
    },
  };
}

interface TcpPair {
  readonly id: string;
  readonly local: LocalSocket;
  readonly to: Endpoint;
  readonly abort: AbortController;
  /** Our requests that may still be answered, by transaction ID. */
  readonly requests: Map<string, Uint8Array>;
  /** Opened by us, or its first request proved our password. */
  verified: boolean;
  /** Absent until the connection is open. */
  socket?: FramedSocket;
  /** Ends a connection that is open, and whose pair is not valid yet. */
  deadline?: TimerHandle;
  /** A request has been answered or given up. */
  checked: boolean;
  valid: boolean;
}
