import { type Endpoint, isReachableUnicast, sameEndpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { classifyAddress } from '../../core/ip-address.ts';
import { attribute, BINDING, decodeMessage, encodeMessage, type StunMessage } from '../stun/index.ts';
import { decodeChannelData, encodeChannelData, isChannelData } from './channel-data.ts';
import type {
  TurnClient,
  TurnClientDrop,
  TurnClientEvent,
  TurnClientInput,
  TurnClientOptions,
  TurnClientOutput,
  TurnFailure,
} from './client-contract.ts';
import { ClientRequests, type RequestOutcome } from './client-requests.ts';
import { encodeIndication, MAX_DATA, readIndication } from './data-indication.ts';
import { KeptPeers } from './kept-peers.ts';
import { DATA, SEND } from './method.ts';
import { Redirections } from './redirections.ts';

/**
 * Makes a client of a TURN server. It answers challenges, keeps its allocation by a Refresh at three quarters of its lifetime, and
 * permissions and channels every 4 minutes. A server that does not answer one of its requests has failed.
 */
export function createTurnClient(options: TurnClientOptions): TurnClient {
  return new AllocationClient(options);
}

class AllocationClient implements TurnClient {
  readonly dropped: Record<TurnClientDrop, number> = {
    foreign: 0,
    malformed: 0,
    unmatched: 0,
    unauthenticated: 0,
    unpermitted: 0,
    'too-long': 0,
  };
  readonly #options: Required<Omit<TurnClientOptions, 'lifetime'>>;
  readonly #requests: ClientRequests;
  readonly #redirections: Redirections;
  readonly #outbox: TurnClientOutput[] = [];
  #state: 'idle' | 'allocating' | 'allocated' | 'closing' | 'over' = 'idle';
  #kept = new KeptPeers();
  #refreshAt = NEVER;
  #keepAliveAt = NEVER;
  #closeBy = NEVER;
  /** What is reported once `closing` is over. */
  #farewell: TurnClientEvent = { type: 'ended' };

  constructor(options: TurnClientOptions) {
    const { transport = 'udp', family = 4, rto = 500, keepalive = 15_000 } = options;
    this.#options = { ...options, transport, family, rto, keepalive };
    this.#requests = new ClientRequests({ ...options, transport, family, rto });
    this.#redirections = new Redirections(options.server);
  }

  handle(input: TurnClientInput, now: number): void {
    if (this.#state === 'over') return;
    switch (input.type) {
      case 'allocate':
        if (this.#state === 'idle') this.#allocate(now);
        break;
      case 'permit':
        this.#kept.permit(input.peer, now);
        break;
      case 'bind':
        this.#kept.bind(input.peer, now);
        break;
      case 'forget':
        this.#kept.forget(input.peer, now);
        break;
      case 'send':
        this.#sendData(input.peer, input.data, now);
        break;
      case 'received':
        this.#receive(input.bytes, input.from, now);
        break;
      case 'disconnected':
        this.#fail({ kind: 'disconnected' });
        break;
      case 'close':
        this.#close(now);
    }
  }

  poll(now: number): TurnClientOutput {
    if (this.#outbox.length === 0) this.#advance(now);
    return this.#outbox.shift() ?? { type: 'wait', until: this.#nextAt() };
  }

  /** Does what is due. */
  #advance(now: number): void {
    if (now >= this.#closeBy) this.#finish(this.#farewell);
    if (this.#state === 'allocated') this.#keep(now);
    for (const due of this.#requests.take(now)) {
      if (this.#state === 'over') return;
      if (due instanceof Uint8Array) this.#transmit(due, now);
      else this.#onOutcome(due, now);
    }
    if (this.#state === 'allocated' && now >= this.#keepAliveAt) {
      const transactionId = this.#options.random.bytes(12);
      this.#transmit(encodeMessage({ class: 'indication', method: BINDING, transactionId, attributes: [] }), now);
    }
  }

  /** Asks for what would end otherwise. */
  #keep(now: number): void {
    if (now >= this.#refreshAt) {
      this.#refreshAt = NEVER;
      this.#requests.begin({ type: 'refresh' }, now);
    }
    for (const kept of this.#kept.due(now)) {
      kept.dueAt = NEVER;
      this.#requests.begin({ type: 'keep', kept }, now);
    }
  }

  #nextAt(): number | undefined {
    if (this.#state === 'over') return undefined;
    const mine = this.#state === 'allocated' ? [this.#refreshAt, this.#keepAliveAt, this.#kept.nextAt] : [];
    const next = Math.min(this.#closeBy, this.#requests.nextAt, ...mine);
    return next === NEVER ? undefined : next;
  }

  #allocate(now: number): void {
    this.#state = 'allocating';
    this.#requests.begin({ type: 'allocate' }, now);
  }

  #transmit(bytes: Uint8Array, now: number): void {
    this.#outbox.push({ type: 'transmit', to: this.#redirections.server, bytes });
    if (this.#options.transport === 'udp') this.#keepAliveAt = now + this.#options.keepalive;
  }

  #sendData(peer: Endpoint, data: Uint8Array, now: number): void {
    if (this.#state !== 'allocated' || !this.#kept.isPermitted(peer, now)) {
      this.dropped.unpermitted++;
    } else if (data.length > MAX_DATA) {
      this.dropped['too-long']++;
    } else {
      const channel = this.#kept.channelTo(peer);
      const bytes =
        channel === undefined
          ? encodeIndication(SEND, { peer, data }, this.#options.random.bytes(12))
          : encodeChannelData({ channel, data }, this.#options.transport === 'tcp');
      this.#transmit(bytes, now);
    }
  }

  #receive(bytes: Uint8Array, from: Endpoint, now: number): void {
    if (!sameEndpoint(from, this.#redirections.server)) {
      this.dropped.foreign++;
      return;
    }
    try {
      if (isChannelData(bytes)) this.#onChannelData(bytes);
      else this.#onMessage(decodeMessage(bytes), now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.dropped.malformed++;
    }
  }

  #onChannelData(bytes: Uint8Array): void {
    const { channel, data } = decodeChannelData(bytes);
    const peer = this.#kept.peerOf(channel);
    if (peer === undefined) this.dropped.unmatched++;
    else this.#outbox.push({ type: 'data', peer, data });
  }

  #onMessage(message: StunMessage, now: number): void {
    if (message.class === 'indication' && message.method === DATA) {
      this.#onIndication(message, now);
    } else if (message.class === 'success' || message.class === 'error') {
      const outcome = this.#requests.answer(message, now);
      if (typeof outcome === 'object') this.#onOutcome(outcome, now);
      else if (outcome !== 'again') this.dropped[outcome]++;
    } else {
      this.dropped.unmatched++;
    }
  }

  /** RFC 8656 section 11.4. */
  #onIndication(message: StunMessage, now: number): void {
    const received = readIndication(message);
    if (received === undefined) this.dropped.malformed++;
    else if (!this.#kept.isPermitted(received.peer, now)) this.dropped.unpermitted++;
    else this.#outbox.push({ type: 'data', peer: received.peer, data: received.data });
  }

  #onOutcome(outcome: RequestOutcome, now: number): void {
    if (this.#state === 'over') return;
    switch (outcome.type) {
      case 'granted':
        this.#onGranted(outcome, now);
        break;
      case 'refused':
        this.#onRefused(outcome, now);
        break;
      case 'unanswered':
        this.#fail({ kind: outcome.violated ? 'integrity-violated' : 'unanswered' });
    }
  }

  #onGranted({ request, response }: Extract<RequestOutcome, { type: 'granted' }>, now: number): void {
    if (request.type === 'release') {
      this.#finish(this.#farewell);
    } else if (this.#state === 'closing') {
      // An allocation that was still on its way.
      this.#requests.begin({ type: 'release' }, now);
    } else if (response.unknownRequired.length > 0) {
      this.#fail({ kind: 'malformed' });
    } else if (request.type === 'keep') {
      const { kept } = request;
      if (this.#kept.confirm(kept, now)) this.#report({ type: 'permitted', peer: kept.peer });
    } else if (request.type === 'allocate') {
      this.#onAllocated(response, now);
    } else {
      this.#refreshWithin(attribute(response, 'lifetime')?.value ?? 0, now);
    }
  }

  /** RFC 8656 section 7.3: an allocation that is of no use is given up. */
  #onAllocated(response: StunMessage, now: number): void {
    const relayed = attribute(response, 'xor-relayed-address')?.endpoint;
    const mapped = attribute(response, 'xor-mapped-address')?.endpoint;
    const lifetime = attribute(response, 'lifetime')?.value ?? 0;
    this.#state = 'allocated';
    if (
      !this.#isAddress(relayed) ||
      relayed.family !== this.#options.family ||
      !this.#isAddress(mapped) ||
      lifetime === 0
    ) {
      this.#farewell = { type: 'failed', failure: { kind: 'malformed' } };
      this.#close(now);
    } else {
      this.#report({ type: 'allocated', relayed, mapped, lifetime });
      this.#refreshWithin(lifetime, now);
    }
  }

  /** Whether packets can be sent there; to a loopback address only where the server has one, too. */
  #isAddress(at: Endpoint | undefined): at is Endpoint {
    return (
      at !== undefined && isReachableUnicast(at, classifyAddress(this.#redirections.server.address) === 'loopback')
    );
  }

  /** The server keeps the allocation for so many seconds. */
  #refreshWithin(lifetime: number, now: number): void {
    if (lifetime === 0) this.#fail({ kind: 'malformed' });
    else this.#refreshAt = now + 750 * lifetime;
  }

  #onRefused({ request, response, code, reason }: Extract<RequestOutcome, { type: 'refused' }>, now: number): void {
    if (request.type === 'allocate' && code === 300) {
      this.#redirect(attribute(response, 'alternate-server')?.endpoint, now);
    } else if (request.type === 'keep' && !ENDING_CODES.has(code)) {
      this.#kept.drop(request.kept, now);
      this.#report({ type: 'refused', peer: request.kept.peer, code, reason });
    } else {
      this.#fail({ kind: 'refused', code, reason });
    }
  }

  /** Another server is to be asked (RFC 8489 section 10). */
  #redirect(alternate: Endpoint | undefined, now: number): void {
    const mayFollow = this.#state === 'allocating' && this.#options.transport === 'udp';
    if (!mayFollow || alternate === undefined || !this.#redirections.follow(alternate)) {
      this.#fail({ kind: 'redirected', alternate });
      return;
    }
    this.#requests.forgetServer();
    this.#allocate(now);
  }

  /** An allocation that is being asked for is let come, to be given up then. */
  #close(now: number): void {
    if (this.#state === 'idle') this.#finish({ type: 'ended' });
    if (this.#state !== 'allocating' && this.#state !== 'allocated') return;
    if (this.#state === 'allocated') {
      this.#requests.clear();
      this.#requests.begin({ type: 'release' }, now);
    }
    this.#state = 'closing';
    this.#closeBy = now + CLOSING_TIME;
    this.#kept = new KeptPeers();
  }

  /** What fails while closing has ended, as was wanted. */
  #fail(failure: TurnFailure): void {
    this.#finish(this.#state === 'closing' ? this.#farewell : { type: 'failed', failure });
  }

  #finish(event: TurnClientEvent): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#requests.clear();
    this.#closeBy = NEVER;
    this.#report(event);
  }

  #report(event: TurnClientEvent): void {
    this.#outbox.push({ type: 'event', event });
  }
}

const NEVER = Number.POSITIVE_INFINITY;
/** Errors by which a client knows that it has no allocation (RFC 8656 section 5), or none that it could use. */
const ENDING_CODES: ReadonlySet<number> = new Set([401, 437, 438, 441]);
/** ms that `close` takes at most: a request is sent twice in that. */
const CLOSING_TIME = 1_500;
