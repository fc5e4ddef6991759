import type { Target } from '../engine/target.ts';
import { tcpFrames } from './framing.ts';
import { natPmpClient, pcpClient } from './gateway-clients.ts';
import { natPmpMessage, pcpMessage, pcpOptions } from './gateway-messages.ts';
import { igdServer, natPmpServer, pcpServer, ssdpServer } from './gateway-servers.ts';
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
import {
  candidateJson,
  clientFrame,
  envelope,
  negotiationNote,
  peerMessage,
  relayFrame,
  sealedText,
  serverFrame,
} from './signaling.ts';
import { simSessionFrames, simSessionPackets } from './sim-session.ts';
import { stunMessage, stunServer, stunStream } from './stun.ts';
import { addressText, duration, hostPort, identityPem, serverName, serverUrl } from './text.ts';
import { ticketBody, ticketText } from './ticket.ts';
import { channelData, turnClient, turnServer, turnStream } from './turn.ts';
import { deviceDescription, soapMessage, soapRequest, ssdpMessage, ssdpSearch, xmlDocument } from './upnp.ts';
import { chunkedBody, httpRequest, httpResponse } from './upnp-http.ts';

/** What people type, and what is in their files. */
export const textTargets: readonly Target[] = [addressText, serverUrl, serverName, hostPort, duration, identityPem];

/** What gateways say by NAT-PMP, PCP and UPnP, and what they are asked. */
const gatewayTargets: readonly Target[] = [
  natPmpMessage,
  pcpMessage,
  pcpOptions,
  ssdpMessage,
  ssdpSearch,
  httpResponse,
  httpRequest,
  chunkedBody,
  xmlDocument,
  deviceDescription,
  soapMessage,
  soapRequest,
];

/** Bytes or text in, a value or an error out. */
export const codecTargets: readonly Target[] = [
  stunMessage,
  stunStream,
  envelope,
  sealedText,
  peerMessage,
  negotiationNote,
  candidateJson,
  clientFrame,
  serverFrame,
  relayFrame,
  tcpFrames,
  channelData,
  turnStream,
  ticketText,
  ticketBody,
  candidateAttribute,
  iceDescription,
  quicPreface,
  quicControl,
  quicAdmissible,
  simSessionFrames,
  simSessionPackets,
  requestHead,
  messageMeter,
  keyOffer,
  signature,
  ...gatewayTargets,
  ...textTargets,
];

/** Engines that live on after an input. */
export const engineTargets: readonly Target[] = [
  stunServer,
  turnServer,
  turnClient,
  stunTransactionAnswer,
  packetRouter,
  iceMessage,
  iceSequence,
  rendezvousServer,
  rendezvousClient,
  natPmpClient,
  pcpClient,
  natPmpServer,
  pcpServer,
  igdServer,
  ssdpServer,
];

/** QUIC sessions, with native code beneath them, in real time. */
export const sessionTargets: readonly Target[] = [quicPackets, quicPeer];

export const targets: readonly Target[] = [...codecTargets, ...engineTargets, ...sessionTargets];
