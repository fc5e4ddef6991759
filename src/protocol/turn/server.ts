import type { Endpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import {
  BINDING,
  createRateLimit,
  createStunServer,
  decodeMessage,
  type RateLimit,
  type StunMessage,
  type StunServer,
} from '../stun/index.ts';
import type { Allocation } from './allocation.ts';
import { decodeChannelData, encodeChannelData, isChannelData } from './channel-data.ts';
import { encodeIndication, MAX_DATA, readIndication } from './data-indication.ts';
import type { FiveTuple } from './five-tuple.ts';
import { DATA, SEND } from './method.ts';
import { isTurnRequest, RequestDesk } from './request-desk.ts';
import type { TurnServer, TurnServerAction, TurnServerOptions } from './server-contract.ts';
import { type TurnServerCounters, type TurnServerDrop, TurnServerTotals } from './server-counters.ts';
import { defaultTurnServerLimits } from './server-limits.ts';

/**
 * Makes a TURN server (RFC 8656) with UDP allocations and long-term credentials. It answers STUN Binding requests too, which need
 * no credentials. Throws `RangeError` when relay addresses, ports or realm are not as described.
 */
export function createTurnServer(options: TurnServerOptions): TurnServer {
  return new RelayServer(options);
}

class RelayServer implements TurnServer {
  readonly #desk: RequestDesk;
  readonly #stun: StunServer;
  readonly #rate: RateLimit;
  readonly #random: Random;
  readonly #totals = new TurnServerTotals();
  #actions: TurnServerAction[] = [];

  constructor(options: TurnServerOptions) {
    const limits = { ...defaultTurnServerLimits, ...options.limits };
    const emit = (action: TurnServerAction): void => void this.#actions.push(action);
    this.#desk = new RequestDesk(options, { limits, totals: this.#totals, emit });
    this.#stun = createStunServer({ rate: limits.requests });
    this.#rate = createRateLimit(limits.requests);
    this.#random = options.random;
  }

  receive(message: Uint8Array, from: FiveTuple, now: number): readonly TurnServerAction[] {
    this.#expire(now);
    if (isChannelData(message)) this.#onChannelData(message, from, now);
    else this.#onStun(message, from, now);
    return this.#take();
  }

  receiveFromPeer(data: Uint8Array, peer: Endpoint, relayed: Endpoint, now: number): readonly TurnServerAction[] {
    this.#expire(now);
    const allocation = this.#desk.allocations.at(relayed);
    if (allocation === undefined || allocation.pending !== undefined) this.#drop('unbound');
    else if (!allocation.permissions.has(peer, now)) this.#drop('unpermitted');
    else if (this.#mayRelay(allocation, data, now)) this.#deliver(allocation, peer, data, now);
    return this.#take();
  }

  bound(relayed: Endpoint, now: number): readonly TurnServerAction[] {
    this.#desk.bound(relayed, now);
    return this.#take();
  }

  unbound(relayed: Endpoint, now: number): readonly TurnServerAction[] {
    this.#desk.unbound(relayed, now);
    return this.#take();
  }

  disconnect(client: FiveTuple, now: number): readonly TurnServerAction[] {
    this.#expire(now);
    const allocation = this.#desk.allocations.of(client);
    if (allocation !== undefined) this.#desk.end(allocation);
    return this.#take();
  }

  expire(now: number): readonly TurnServerAction[] {
    this.#expire(now);
    return this.#take();
  }

  get wakeAt(): number | undefined {
    return this.#desk.allocations.wakeAt;
  }

  get counters(): TurnServerCounters {
    const { allocated, granted, refused, dropped, relayedDatagrams, relayedBytes } = this.#totals;
    return {
      allocations: this.#desk.allocations.size,
      reservations: this.#desk.ports.reservations,
      allocated,
      granted,
      refused: { ...refused },
      dropped: { ...dropped },
      relayedDatagrams,
      relayedBytes,
    };
  }

  #onStun(bytes: Uint8Array, from: FiveTuple, now: number): void {
    const message = decoded(() => decodeMessage(bytes));
    if (message === undefined) this.#drop('malformed');
    else if (message.class === 'indication' && message.method === SEND) this.#onSend(message, from, now);
    else if (message.class === 'request' && message.method === BINDING) this.#onBinding(bytes, from, now);
    else if (message.class !== 'request' || !isTurnRequest(message.method)) this.#drop('foreign');
    else if (!this.#rate.admit(from.client.address, now)) this.#drop('rate');
    else this.#desk.handle(message, from, now);
  }

  #onBinding(bytes: Uint8Array, from: FiveTuple, now: number): void {
    const answer = this.#stun.handle({ data: bytes, from: from.client }, from.server, now);
    if (answer === undefined) this.#drop('rate');
    else this.#actions.push({ type: 'send', to: from, bytes: answer.reply });
  }

  /** RFC 8656 section 11.2. */
  #onSend(message: StunMessage, from: FiveTuple, now: number): void {
    const sent = readIndication(message);
    const allocation = this.#desk.allocations.of(from);
    if (sent === undefined) this.#drop('malformed');
    else if (allocation === undefined || sent.peer.port === 0) this.#drop('unbound');
    else if (!allocation.permissions.has(sent.peer, now)) this.#drop('unpermitted');
    else this.#relay(allocation, sent.peer, sent.data, now);
  }

  /** RFC 8656 section 12.6. */
  #onChannelData(bytes: Uint8Array, from: FiveTuple, now: number): void {
    const message = decoded(() => decodeChannelData(bytes));
    const allocation = this.#desk.allocations.of(from);
    const peer = message && allocation?.channels.peerOf(message.channel, now);
    if (message === undefined) this.#drop('malformed');
    else if (allocation === undefined || peer === undefined) this.#drop('unbound');
    else this.#relay(allocation, peer, message.data, now);
  }

  #relay(allocation: Allocation, to: Endpoint, data: Uint8Array, now: number): void {
    if (!this.#mayRelay(allocation, data, now)) return;
    this.#actions.push({ type: 'relay', from: allocation.relayed, to, data });
  }

  /** To the client (RFC 8656 sections 11.3 and 12.7). */
  #deliver({ client, channels }: Allocation, peer: Endpoint, data: Uint8Array, now: number): void {
    const channel = channels.channelOf(peer, now);
    const bytes =
      channel === undefined
        ? encodeIndication(DATA, { peer, data }, this.#random.bytes(12))
        : encodeChannelData({ channel, data }, client.transport === 'tcp');
    this.#actions.push({ type: 'send', to: client, bytes });
  }

  /** Counts the datagram, as relayed or dropped. */
  #mayRelay({ bandwidth }: Allocation, { length }: Uint8Array, now: number): boolean {
    if (length > MAX_DATA || !bandwidth.take(length, now)) {
      this.#drop('bandwidth');
      return false;
    }
    this.#totals.relay(length);
    return true;
  }

  #expire(now: number): void {
    for (const allocation of this.#desk.allocations.expired(now)) this.#desk.end(allocation);
  }

  #drop(reason: TurnServerDrop): void {
    this.#totals.dropped[reason]++;
  }

  #take(): readonly TurnServerAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

/** `undefined` for what is not what it claims to be. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
