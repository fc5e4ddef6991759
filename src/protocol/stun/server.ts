import type { Datagram } from '../../core/datagram.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { attribute, type EncodableAttribute } from './attribute.ts';
import { attributeCode } from './attribute-codec.ts';
import { unknownAttributesResponse } from './error-response.ts';
import { BINDING, isStunMessage } from './header.ts';
import { decodeMessage, encodeMessage, type OutgoingMessage, type StunMessage } from './message.ts';
import { createRateLimit, type RateLimitOptions } from './rate-limit.ts';

export interface StunServerOptions {
  /** With a second address, behaviour discovery is offered (RFC 5780). */
  readonly addresses?: StunServerAddresses;
  /** By source network, an IPv4 /24 or an IPv6 /64. Default: 100 requests a second, bursts of 200, 65536 networks. */
  readonly rate?: RateLimitOptions;
}

/**
 * The two addresses and two ports of a server with behaviour discovery (RFC 5780 section 6). It listens on all four
 * combinations, at addresses that clients can reach; both parts of `alternate` differ from `primary`'s.
 */
export interface StunServerAddresses {
  readonly primary: Endpoint;
  readonly alternate: Endpoint;
}

export interface StunReply {
  readonly reply: Uint8Array;
  /** The endpoint to send from: the one that got the request, unless CHANGE-REQUEST asked for another. */
  readonly from: Endpoint;
  readonly to: Endpoint;
}

/** Each datagram is counted once, as answered or dropped. */
export interface StunServerCounters {
  /** Success responses. */
  answered: number;
  /** Error responses: 420 Unknown Attribute. */
  refused: number;
  /** Not a Binding request: responses and indications too, so that two servers never talk to each other. */
  ignored: number;
  malformed: number;
  rateLimited: number;
  /** UDP payload bytes of answered and refused requests, and of their replies. */
  bytesIn: number;
  bytesOut: number;
}

/** A stateless STUN server on UDP, sans-IO. */
export interface StunServer {
  /** What to answer, if anything; never throws. `receivedOn` is the local endpoint, `now` in ms and never goes back. */
  handle(datagram: Datagram, receivedOn: Endpoint, now: number): StunReply | undefined;
  readonly counters: Readonly<StunServerCounters>;
}

/**
 * Answers Binding requests (RFC 8489 section 6.3.1), and CHANGE-REQUEST where there is a second address (RFC 5780). It
 * is of no use against others: no response to a response, no RESPONSE-PORT or PADDING, a rate limit, and replies of at
 * most twice the request in bytes on the wire, headers of IP and UDP included. Throws `RangeError` when the addresses
 * are not as described.
 */
export function createStunServer({ addresses, rate = DEFAULT_RATE }: StunServerOptions = {}): StunServer {
  if (addresses !== undefined) checkAddresses(addresses);
  const limit = createRateLimit(rate);
  const counters: StunServerCounters = {
    answered: 0,
    refused: 0,
    ignored: 0,
    malformed: 0,
    rateLimited: 0,
    bytesIn: 0,
    bytesOut: 0,
  };

  const decode = (data: Uint8Array): StunMessage | undefined => {
    try {
      return decodeMessage(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      counters.malformed++;
      return undefined;
    }
  };

  return {
    counters,
    handle({ data, from: client }, receivedOn, now) {
      if (!isBindingRequest(data) || client.port === 0) {
        counters.ignored++;
        return undefined;
      }
      if (!limit.admit(client.address, now)) {
        counters.rateLimited++;
        return undefined;
      }
      const request = decode(data);
      if (request === undefined) return undefined;
      const { response, from } = respond(request, client, receivedOn, addresses);
      const reply = encodeWithin(2 * wireLength(data, client), response, client);
      counters[response.class === 'error' ? 'refused' : 'answered']++;
      counters.bytesIn += data.length;
      counters.bytesOut += reply.length;
      return { reply, from, to: client };
    },
  };
}

const DEFAULT_RATE: RateLimitOptions = { rate: 100, burst: 200, capacity: 65536 };

function isBindingRequest(data: Uint8Array): boolean {
  return isStunMessage(data) && ((data[0]! << 8) | data[1]!) === BINDING;
}

function respond(
  request: StunMessage,
  client: Endpoint,
  receivedOn: Endpoint,
  addresses: StunServerAddresses | undefined,
): { response: OutgoingMessage; from: Endpoint } {
  const change = attribute(request, 'change-request');
  const unknown = [...request.unknownRequired];
  if (change !== undefined && addresses === undefined) unknown.push(attributeCode('change-request'));
  if (unknown.length > 0) {
    return { response: unknownAttributesResponse({ ...request, unknownRequired: unknown }), from: receivedOn };
  }
  const attributes: EncodableAttribute[] = [{ type: 'xor-mapped-address', endpoint: client }];
  let from = receivedOn;
  if (addresses !== undefined) {
    const other = opposite(receivedOn, addresses);
    from = {
      ...(change?.changeIp ? other : receivedOn),
      port: change?.changePort ? other.port : receivedOn.port,
    };
    attributes.push({ type: 'other-address', endpoint: other }, { type: 'response-origin', endpoint: from });
  }
  return {
    response: { class: 'success', method: BINDING, transactionId: request.transactionId, attributes },
    from,
  };
}

/** The endpoint that differs from this one in both address and port (RFC 5780 section 7.4). */
function opposite({ address, port }: Endpoint, { primary, alternate }: StunServerAddresses): Endpoint {
  const { address: otherAddress } = address === primary.address ? alternate : primary;
  const { port: otherPort } = port === primary.port ? alternate : primary;
  return { ...primary, address: otherAddress, port: otherPort };
}

/** Leaves out attributes from the end until the reply fits; without any it is no longer than any request. */
function encodeWithin(limit: number, response: OutgoingMessage, client: Endpoint): Uint8Array {
  const reply = encodeMessage(response);
  if (wireLength(reply, client) <= limit) return reply;
  return encodeWithin(limit, { ...response, attributes: response.attributes.slice(0, -1) }, client);
}

/** Bytes of the whole packet: headers of IPv4 or IPv6 (without options) and UDP, and the payload. */
function wireLength(payload: Uint8Array, { family }: Endpoint): number {
  return (family === 4 ? 20 : 40) + 8 + payload.length;
}

function checkAddresses({ primary, alternate }: StunServerAddresses): void {
  if (primary.family !== alternate.family) throw new RangeError('both addresses must be of one family');
  if (primary.address === alternate.address || primary.port === alternate.port) {
    throw new RangeError('the alternate address needs another IP address and another port');
  }
}
