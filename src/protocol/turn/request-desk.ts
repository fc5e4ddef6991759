import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import {
  attribute,
  type EncodableAttribute,
  type EncodeOptions,
  type ErrorResponseCode,
  encodeMessage,
  errorResponse,
  LongTermServer,
  type OutgoingMessage,
  type StunMessage,
  unknownAttributesResponse,
} from '../stun/index.ts';
import { type AllocateWish, DEFAULT_LIFETIME, grantedLifetime, readAllocateRequest } from './allocate-request.ts';
import { Allocation, type AuthenticRequest, type PendingAllocate } from './allocation.ts';
import { Allocations } from './allocations.ts';
import { isChannelNumber } from './channel-data.ts';
import type { FiveTuple } from './five-tuple.ts';
import { ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH } from './method.ts';
import { PeerPolicy } from './peer-policy.ts';
import { RelayPorts } from './relay-ports.ts';
import type { TurnServerAction, TurnServerOptions } from './server-contract.ts';
import type { TurnServerTotals } from './server-counters.ts';
import type { TurnServerLimits } from './server-limits.ts';

/** Attributes of a success response, an error code, or `later`. */
type Answer = readonly EncodableAttribute[] | ErrorResponseCode | 'later';

/** Whether a method is one of those that the desk answers. */
export function isTurnRequest(method: number): boolean {
  return method === ALLOCATE || method === REFRESH || method === CREATE_PERMISSION || method === CHANNEL_BIND;
}

/** Where a server answers requests, and keeps what it has granted. */
export class RequestDesk {
  readonly allocations: Allocations;
  readonly ports: RelayPorts;
  readonly #users: LongTermServer;
  readonly #policy: PeerPolicy;
  readonly #limits: TurnServerLimits;
  readonly #totals: TurnServerTotals;
  readonly #emit: (action: TurnServerAction) => void;

  constructor(
    options: TurnServerOptions,
    shared: { limits: TurnServerLimits; totals: TurnServerTotals; emit: (action: TurnServerAction) => void },
  ) {
    const { realm, users, random, relayAddresses, relayPorts = DYNAMIC_PORTS, allowedPeers = [] } = options;
    const { limits } = shared;
    this.allocations = new Allocations(limits);
    this.ports = new RelayPorts(relayAddresses, relayPorts, { limits, random });
    this.#users = new LongTermServer({ realm, users, random, nonceLifetime: limits.nonceLifetime });
    this.#policy = new PeerPolicy(allowedPeers);
    this.#limits = limits;
    this.#totals = shared.totals;
    this.#emit = shared.emit;
  }

  /** A request of one of the methods of {@link isTurnRequest}. */
  handle(request: StunMessage, client: FiveTuple, now: number): void {
    const authentication = this.#users.authenticate(request, formatEndpoint(client.client), now);
    if (!authentication.accepted) {
      this.#totals.refuse(authentication.code);
      this.#send(client, authentication.response, authentication.signing);
      return;
    }
    const { user, signing } = authentication;
    const authentic = { request, client, user, signing };
    const unknown = unknownTypes(request);
    if (unknown.length > 0) {
      this.#totals.refuse(420);
      this.#send(client, unknownAttributesResponse({ ...request, unknownRequired: unknown }), signing);
      return;
    }
    this.#answer(
      authentic,
      request.method === ALLOCATE ? this.#allocate(authentic, now) : this.#manage(authentic, now),
    );
  }

  /** A relayed transport address has its socket. */
  bound(relayed: Endpoint, now: number): void {
    const allocation = this.allocations.at(relayed);
    if (allocation?.pending === undefined) return;
    const { pending } = allocation;
    allocation.pending = undefined;
    this.#setLifetime(allocation, pending.request, now);
    this.#totals.allocated++;
    this.#answer(pending, describe(allocation, now));
  }

  /** A relayed transport address has no socket: another one is tried, or its allocation is over. */
  unbound(relayed: Endpoint, now: number): void {
    const allocation = this.allocations.at(relayed);
    if (allocation === undefined) return;
    this.#remove(allocation);
    const { pending } = allocation;
    if (pending === undefined) return;
    const token = attribute({ attributes: allocation.remarks }, 'reservation-token');
    if (token !== undefined) this.ports.cancel(token.value);
    const { attempts, wish } = pending;
    const mayTry = attempts < MAX_ATTEMPTS && wish.token === undefined;
    this.#answer(pending, mayTry ? this.#bind({ ...pending, attempts: attempts + 1 }, now) : 508);
  }

  /** Ends an allocation. */
  end(allocation: Allocation): void {
    this.#remove(allocation);
    this.#emit({ type: 'release', relayed: allocation.relayed });
  }

  #remove(allocation: Allocation): void {
    this.allocations.remove(allocation);
    this.ports.release(allocation.relayed);
  }

  /** RFC 8656 section 7.2. */
  #allocate({ request, client, user, signing }: AuthenticRequest, now: number): Answer {
    const present = this.allocations.of(client);
    if (present !== undefined) {
      if (!present.isFrom(request)) return 437;
      return present.pending === undefined ? describe(present, now) : 'later';
    }
    const wish = readAllocateRequest(request);
    if (typeof wish === 'number') return wish;
    if (wish.token === undefined && !this.ports.offers(wish.family)) return 440;
    const refusal = this.allocations.refusal(client, user);
    return refusal ?? this.#bind({ request, client, user, signing, wish, attempts: 1 }, now);
  }

  #bind(pending: PendingAllocate, now: number): Answer {
    const { wish } = pending;
    const relayed =
      wish.token === undefined ? this.ports.take(wish.family, wish.port, now) : this.ports.claim(wish.token, now);
    if (relayed === undefined) return 508;
    const expiresAt = now + 1_000 * DEFAULT_LIFETIME;
    const remarks = this.#remarks(wish, relayed, now);
    this.allocations.add(new Allocation(pending, relayed, { remarks, limits: this.#limits, expiresAt, now }));
    this.#emit({ type: 'bind', relayed });
    return 'later';
  }

  #remarks({ port, additional }: AllocateWish, relayed: Endpoint, now: number): EncodableAttribute[] {
    const remarks: EncodableAttribute[] = [];
    if (port === 'pair') remarks.push({ type: 'reservation-token', value: this.ports.reserveNext(relayed, now) });
    // One address an allocation: where both were asked for, there is the one of IPv4.
    if (additional) {
      remarks.push({ type: 'address-error-code', family: 6, code: 440, reason: 'Address Family not Supported' });
    }
    return remarks;
  }

  /** All that needs an allocation (RFC 8656 section 5). */
  #manage({ request, client, user }: AuthenticRequest, now: number): Answer {
    const allocation = this.allocations.of(client);
    if (allocation === undefined || allocation.pending !== undefined) return 437;
    if (allocation.user !== user) return 441;
    switch (request.method) {
      case REFRESH:
        return this.#refresh(allocation, request, now);
      case CREATE_PERMISSION:
        return this.#permit(allocation, request, now);
      default:
        return this.#bindChannel(allocation, request, now);
    }
  }

  /** RFC 8656 section 8.2. */
  #refresh(allocation: Allocation, request: StunMessage, now: number): Answer {
    const family = attribute(request, 'requested-address-family')?.family;
    if (family !== undefined && family !== allocation.relayed.family) return 443;
    if (attribute(request, 'lifetime')?.value === 0) {
      this.end(allocation);
      return [{ type: 'lifetime', value: 0 }];
    }
    this.#setLifetime(allocation, request, now);
    return [lifetimeOf(allocation, now)];
  }

  /** RFC 8656 section 10.2: all of the peers, or none. */
  #permit(allocation: Allocation, request: StunMessage, now: number): Answer {
    const peers = request.attributes.flatMap((one) => (one.type === 'xor-peer-address' ? [one.endpoint] : []));
    if (peers.length === 0) return 400;
    const refusal = this.#refusalOf(peers, allocation, now);
    if (refusal !== undefined) return refusal;
    for (const peer of peers) allocation.permissions.install(peer, now);
    return [];
  }

  /** RFC 8656 section 12.2. */
  #bindChannel(allocation: Allocation, request: StunMessage, now: number): Answer {
    const channel = attribute(request, 'channel-number')?.channel;
    const peer = attribute(request, 'xor-peer-address')?.endpoint;
    if (channel === undefined || peer === undefined || !isChannelNumber(channel) || peer.port === 0) return 400;
    const refusal = this.#refusalOf([peer], allocation, now);
    if (refusal !== undefined) return refusal;
    const outcome = allocation.channels.bind(channel, peer, now);
    if (outcome !== 'bound') return outcome === 'full' ? 508 : 400;
    allocation.permissions.install(peer, now);
    return [];
  }

  #refusalOf(peers: readonly Endpoint[], allocation: Allocation, now: number): 443 | 403 | 508 | undefined {
    if (peers.some(({ family }) => family !== allocation.relayed.family)) return 443;
    if (!peers.every((peer) => this.#policy.allows(peer))) return 403;
    return allocation.permissions.hasRoom(peers, now) ? undefined : 508;
  }

  #setLifetime(allocation: Allocation, request: StunMessage, now: number): void {
    allocation.expiresAt = now + grantedLifetime(request, this.#limits.maxLifetime);
    this.allocations.wakeBy(allocation.expiresAt);
  }

  #answer({ request, client, signing }: AuthenticRequest, answer: Answer): void {
    if (answer === 'later') return;
    if (typeof answer === 'number') {
      this.#totals.refuse(answer);
      this.#send(client, errorResponse(request, answer), signing);
    } else {
      this.#totals.granted++;
      const { method, transactionId } = request;
      this.#send(client, { class: 'success', method, transactionId, attributes: answer }, signing);
    }
  }

  #send(to: FiveTuple, message: OutgoingMessage, signing: EncodeOptions): void {
    this.#emit({ type: 'send', to, bytes: encodeMessage(message, signing) });
  }
}

/** The Dynamic Ports (RFC 6335 section 6). */
const DYNAMIC_PORTS = { first: 49_152, last: 65_535 };
/** Relayed transport addresses tried before a request is refused: others on the host may have their ports. */
const MAX_ATTEMPTS = 8;

/** DONT-FRAGMENT among them: the DF bit cannot be set here (RFC 8656 section 7.2). */
function unknownTypes(request: StunMessage): number[] {
  const unknown = [...request.unknownRequired];
  if (attribute(request, 'dont-fragment') !== undefined) unknown.push(DONT_FRAGMENT);
  return unknown;
}

const DONT_FRAGMENT = 0x001a;

function describe(allocation: Allocation, now: number): EncodableAttribute[] {
  return [
    { type: 'xor-relayed-address', endpoint: allocation.relayed },
    lifetimeOf(allocation, now),
    ...allocation.remarks,
    { type: 'xor-mapped-address', endpoint: allocation.client.client },
  ];
}

/** What is left of it, in seconds. */
function lifetimeOf({ expiresAt }: Allocation, now: number): EncodableAttribute {
  return { type: 'lifetime', value: Math.floor((expiresAt - now) / 1_000) };
}
