export { createRendezvousClient, type ReceivedFrame, type RendezvousClient } from './client-engine.ts';
export {
  createEnvelopeChannel,
  type EnvelopeChannel,
  type EnvelopeChannelOptions,
  envelopeHash,
  openStanding,
  type StandingOptions,
  sealStanding,
} from './envelope.ts';
export { type IceCredentials, iceCredentials } from './ice-credentials.ts';
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
export { encodeRelayFrame } from './relay-frame.ts';
export type { ClientId } from './server-client.ts';
export {
  createRendezvousEngine,
  type EngineAction,
  type RendezvousCounters,
  type RendezvousEngine,
  type RendezvousEngineOptions,
} from './server-engine.ts';
export { defaultServerLimits, type ServerLimits } from './server-limits.ts';
export {
  checkTicket,
  decodeTicket,
  encodeTicket,
  isStunServer,
  MAX_TICKET_SERVERS,
  type Ticket,
  ticketId,
} from './ticket.ts';
export { MAX_FRAME } from './wire.ts';
