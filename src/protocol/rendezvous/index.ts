export { MAX_CANDIDATES } from './candidate-json.ts';
export {
  createRendezvousClient,
  type ReceivedFrame,
  type Registering,
  type RendezvousClient,
} from './client-engine.ts';
export {
  type ContactKey,
  contactId,
  createContactKey,
  type Encapsulation,
  encapsulate,
  verifyContact,
  X25519_KEY_LENGTH,
} from './contact.ts';
export {
  createEnvelopeChannel,
  type EnvelopeChannel,
  type EnvelopeChannelOptions,
  envelopeHash,
  openStanding,
  type StandingOptions,
  sealStanding,
} from './envelope.ts';
export {
  type IceCredentials,
  iceCredentials,
  relayedIceCredentials,
  type SharedCredentials,
} from './ice-credentials.ts';
export type {
  AnswerMessage,
  CandidatesMessage,
  OfferMessage,
  PeerMessage,
  RejectMessage,
  RestartMessage,
  StandingMessage,
} from './messages.ts';
export { createOfferGuard, type OfferGuard } from './offer-guard.ts';
export { type OfferFacts, offerProof, verifyOffer } from './offer-proof.ts';
export { encodeRelayFrame } from './relay-frame.ts';
export type { ClientId } from './server-client.ts';
export type { DropReason, RefusalReason, RendezvousCounters } from './server-counters.ts';
export {
  createRendezvousEngine,
  type EngineAction,
  type RendezvousEngine,
  type RendezvousEngineOptions,
} from './server-engine.ts';
export { defaultServerLimits, type ServerLimits } from './server-limits.ts';
export { createServerSources, type ServerSource, type ServerSources } from './server-source.ts';
export { verifySignature } from './signature.ts';
export {
  checkTicket,
  decodeTicket,
  encodeTicket,
  isStunServer,
  MAX_TICKET_SERVERS,
  type Ticket,
  ticketId,
} from './ticket.ts';
export { decodeClientFrame, encodeFrame, MAX_FRAME } from './wire.ts';
