import type { Quiche } from '@matrixai/quic/native/quiche.js';
import type { Config, RecvInfo } from '@matrixai/quic/native/types.js';
import type { Identity } from '../../../core/identity.ts';
import { selfSignedCertificate } from './certificate.ts';

/** ALPN name (RFC 7301). The number is the version of everything above QUIC: preface, control stream, stream end. */
export const ALPN = 'sallyport/2';

/** Longest packet in bytes: what every path carries (RFC 9000 section 14); quiche here has no path MTU discovery. */
export const MAX_PACKET = 1200;

/** What quiche believes: one pair of addresses for ever (RFC 5737), as paths switch below it. */
export const ADDRESSES: RecvInfo = { from: { host: '192.0.2.2', port: 2 }, to: { host: '192.0.2.1', port: 1 } };

/** One configuration serves all sessions of an identity. */
export function quicheConfig(quiche: Quiche, identity: Identity): Config {
  const key = Buffer.from(identity.privateKeyPem);
  const certificate = Buffer.from(selfSignedCertificate(identity));
  // Both sides must show a certificate; any passes here, because the session itself compares its key.
  const config = quiche.Config.withBoringSslCtx(true, true, null, [key], [certificate], 'ed25519');
  config.setApplicationProtos([ALPN]);
  config.setMaxRecvUdpPayloadSize(MAX_PACKET);
  config.setMaxSendUdpPayloadSize(MAX_PACKET);

  // Whoever holds the session decides when silence is too long.
  config.setMaxIdleTimeout(0);
  config.setDisableActiveMigration(true);
  // RFC 9443: a cleared fixed bit would make packets look like TURN's ChannelData.
  config.grease(false);

  config.setInitialMaxData(CONNECTION_WINDOW);
  config.setMaxConnectionWindow(CONNECTION_WINDOW);
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW);
  config.setMaxStreamWindow(STREAM_WINDOW);
  config.setInitialMaxStreamsBidi(MAX_STREAMS);
  config.setInitialMaxStreamsUni(1);
  config.setInitialMaxStreamDataUni(CONTROL_WINDOW);
  config.enableDgram(true, DATAGRAM_QUEUE, DATAGRAM_QUEUE);

  // This quiche sends no acknowledgement while its window is full. After a loss Cubic's window is small, so that two
  // sides which both send starve each other of them: the echo of 256 KiB over 19 % loss took half a minute and more,
  // with BBR 3 s.
  config.setCcAlgorithmName('bbr');
  // The pump bounds a burst; the instants that pacing would give cannot be kept by a timer of 1 ms.
  config.enablePacing(false);
  return config;
}

/** 12 MiB: 150 MB/s over a round trip of 80 ms. */
const STREAM_WINDOW = 12 * 2 ** 20;
/** The most that a session keeps unread, all streams together. */
const CONNECTION_WINDOW = 2 * STREAM_WINDOW;
/** Streams that the other side may have open at a time. */
const MAX_STREAMS = 4096;
const CONTROL_WINDOW = 2 ** 16;
/** Datagrams waiting in each direction. */
const DATAGRAM_QUEUE = 256;
