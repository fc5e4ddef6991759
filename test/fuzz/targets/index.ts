import type { Target } from '../engine/target.ts';
import { tcpFrames } from './framing.ts';
import { requestHead } from './http.ts';
import { iceMessage, iceSequence } from './ice.ts';
import { candidateAttribute, iceDescription } from './ice-text.ts';
import { keyOffer, signature } from './keys.ts';
import { messageMeter } from './message-meter.ts';
import { packetRouter, stunTransactionAnswer } from './packets.ts';
import { quicAdmissible, quicControl, quicPreface } from './quic-codecs.ts';
import { quicPackets, quicPeer } from './quic-session.ts';
import { rendezvousClient } from './rendezvous-client.ts';
import { rendezvousServer } from './rendezvous-server.ts';
import { candidateJson, clientFrame, envelope, peerMessage, relayFrame, sealedText, serverFrame } from './signaling.ts';
import { stunMessage, stunServer } from './stun.ts';
import { addressText, duration, hostPort, identityPem, serverName, serverUrl } from './text.ts';
import { ticketBody, ticketText } from './ticket.ts';

/** What people type, and what is in their files. */
export const textTargets: readonly Target[] = [addressText, serverUrl, serverName, hostPort, duration, identityPem];

/** Bytes or text in, a value or an error out. */
export const codecTargets: readonly Target[] = [
  stunMessage,
  envelope,
  sealedText,
  peerMessage,
  candidateJson,
  clientFrame,
  serverFrame,
  relayFrame,
  tcpFrames,
  ticketText,
  ticketBody,
  candidateAttribute,
  iceDescription,
  quicPreface,
  quicControl,
  quicAdmissible,
  requestHead,
  messageMeter,
  keyOffer,
  signature,
  ...textTargets,
];

/** Engines that live on after an input. */
export const engineTargets: readonly Target[] = [
  stunServer,
  stunTransactionAnswer,
  packetRouter,
  iceMessage,
  iceSequence,
  rendezvousServer,
  rendezvousClient,
];

/** QUIC sessions, with native code beneath them, in real time. */
export const sessionTargets: readonly Target[] = [quicPackets, quicPeer];

export const targets: readonly Target[] = [...codecTargets, ...engineTargets, ...sessionTargets];
