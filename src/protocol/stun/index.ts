/**
 * STUN (RFC 8489) with the attributes of ICE (RFC 8445), behaviour discovery (RFC 5780) and TURN (RFC 8656): codec, long-term
 * credentials and server engine, sans-IO.
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
export { type IntegrityAlgorithm, longTermKey, shortTermKey, userHash, verifyIntegrity } from './integrity.ts';
export { LongTermClient, type LongTermCredentials, type ResponseJudgement } from './long-term-client.ts';
export { type Authentication, LongTermServer, type LongTermServerOptions } from './long-term-server.ts';
export { decodeMessage, type EncodeOptions, encodeMessage, type OutgoingMessage, type StunMessage } from './message.ts';
export {
  PASSWORD_ALGORITHMS,
  type PasswordAlgorithm,
  type PasswordHash,
} from './password-algorithm.ts';
export { createRateLimit, type RateLimit, type RateLimitOptions } from './rate-limit.ts';
export {
  createStunServer,
  type StunReply,
  type StunServer,
  type StunServerAddresses,
  type StunServerCounters,
  type StunServerOptions,
} from './server.ts';
export { createStunStreamDecoder, type StunStreamDecoder } from './stream-decoder.ts';
