/** TURN (RFC 8656): codecs, and engines of client and server, sans-IO. UDP allocations, over UDP or a byte stream. */
export {
  type ChannelData,
  decodeChannelData,
  encodeChannelData,
  FIRST_CHANNEL,
  isChannelData,
  LAST_CHANNEL,
} from './channel-data.ts';
export { createTurnClient } from './client.ts';
export type {
  TurnClient,
  TurnClientDrop,
  TurnClientEvent,
  TurnClientInput,
  TurnClientOptions,
  TurnClientOutput,
  TurnFailure,
} from './client-contract.ts';
export { type FiveTuple, fiveTupleKey, type TurnTransport } from './five-tuple.ts';
export { ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, DATA, REFRESH, SEND, UDP_PROTOCOL } from './method.ts';
export { createTurnServer } from './server.ts';
export type {
  PeerKind,
  PortRange,
  TurnServer,
  TurnServerAction,
  TurnServerOptions,
} from './server-contract.ts';
export type { TurnServerCounters, TurnServerDrop } from './server-counters.ts';
export { defaultTurnServerLimits, type TurnServerLimits } from './server-limits.ts';
export { createTurnStreamDecoder, type TurnStreamDecoder } from './stream-decoder.ts';
