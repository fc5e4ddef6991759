/**
 * STUN (RFC 8489) with the attributes of ICE (RFC 8445) and behaviour discovery (RFC 5780): codec and server engine,
 * sans-IO.
 */
export {
  type AttributeOf,
  type AttributeType,
  attribute,
  type EncodableAttribute,
  type StunAttribute,
} from './attribute.ts';
export { type ErrorResponseCode, errorResponse, unknownAttributesResponse } from './error-response.ts';
export { BINDING, isStunMessage, type StunClass, transactionKey } from './header.ts';
export { type IntegrityAlgorithm, longTermKey, shortTermKey, verifyIntegrity } from './integrity.ts';
export { decodeMessage, type EncodeOptions, encodeMessage, type OutgoingMessage, type StunMessage } from './message.ts';
export type { RateLimitOptions } from './rate-limit.ts';
export {
  createStunServer,
  type StunReply,
  type StunServer,
  type StunServerAddresses,
  type StunServerCounters,
  type StunServerOptions,
} from './server.ts';
