import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import {
  createEnvelopeChannel,
  decodeTicket,
  type EnvelopeChannel,
  ticketId,
} from '../../src/protocol/rendezvous/index.ts';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { BINDING, encodeMessage, shortTermKey } from '../../src/protocol/stun/index.ts';
import { sampleOffer } from '../protocol/rendezvous/support.ts';
import { type Attack, addresses, type Operation, repeat, type Target } from './operation.ts';
import { sayHello } from './say-hello.ts';
import { tell } from './told.ts';

/** A listening peer. */
export interface PeerTarget extends Target {
  readonly ticket: string;
  readonly udpPort: number;
}

type PeerAttack = Attack<PeerTarget>;

/** A client of the rendezvous server that says something over and over, and notes what it is answered. */
async function client({ target, told, signal }: Operation<PeerTarget>, lane: number): Promise<WebSocket> {
  const { socket } = await sayHello(new WebSocket(target.url, { localAddress: addresses(30, 8)[lane]! }));
  signal.addEventListener('abort', () => socket.terminate(), { once: true });
  socket.on('message', (data, isBinary) => {
    if (isBinary) return;
    const { type, code } = JSON.parse(String(data)) as { type: string; code?: string };
    tell(told, code ?? type);
  });
  return socket;
}

/** Waits until what was sent has mostly gone. */
async function drained(socket: WebSocket): Promise<void> {
  do await turn();
  while (socket.bufferedAmount > 64 * 1024 && socket.readyState === WebSocket.OPEN);
}

interface Knock {
  readonly channel: EnvelopeChannel;
  readonly session: Uint8Array;
  /** The frame that offers it. */
  frame(envelope: Uint8Array): string;
}

function knock({ target }: Operation<PeerTarget>): Knock {
  const { key: listenerKey, secret } = decodeTicket(target.ticket);
  const session = randomBytes(16);
  const ids = { to: listenerKey, session, ticketId: ticketId(secret), caller: session };
  return {
    session,
    channel: createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random: { bytes: randomBytes } }),
    frame: (envelope) => encodeFrame({ type: 'offer', envelope, ...ids }),
  };
}

/** 32 addresses where nobody is. */
function candidates(port: number): ReturnType<typeof sampleOffer>['candidates'] {
  const [like] = sampleOffer().candidates;
  return Array.from({ length: 32 }, (_, i) => ({
    ...like!,
    endpoint: { address: '127.0.0.1', port: port + i, family: 4 as const },
  }));
}

function sealedOffer(operation: Operation<PeerTarget>, { channel }: Knock): Uint8Array {
  const { key: listenerKey } = decodeTicket(operation.target.ticket);
  const keys = { listenerKey, dialerKey: randomBytes(32), issuedAt: Date.now() };
  return channel.seal(sampleOffer({ ...keys, candidates: candidates(20_000), flight: [randomBytes(1_200)] }));
}

/** From who has seen a ticket's id, as the server has, but not the ticket. */
const offersWithoutSecret: PeerAttack = async (operation) => {
  let sent = 0;
  await repeat(8, operation, async (lane) => {
    const socket = await client(operation, lane);
    while (socket.readyState === WebSocket.OPEN) {
      for (let i = 0; i < 10; i++, sent++) socket.send(knock(operation).frame(randomBytes(3_000)));
      await drained(socket);
    }
  });
  return `${sent} offers with a ticket's id and without its secret`;
};

/** From a holder of the ticket. */
const offersWithSecret: PeerAttack = async (operation) => {
  let sent = 0;
  await repeat(8, operation, async (lane) => {
    const socket = await client(operation, lane);
    while (socket.readyState === WebSocket.OPEN) {
      for (let i = 0; i < 10; i++, sent++) {
        const one = knock(operation);
        socket.send(one.frame(sealedOffer(operation, one)));
      }
      await drained(socket);
    }
  });
  return `${sent} offers of a ticket's holder, each with 32 candidates`;
};

/** From a holder of the ticket, in one session: one list of 32 candidates after the other. */
const endlessCandidates: PeerAttack = async (operation) => {
  let sent = 0;
  await repeat(4, operation, async (lane) => {
    const socket = await client(operation, lane);
    const { channel, frame, session } = knock(operation);
    const one = { channel, frame, session };
    socket.send(frame(sealedOffer(operation, one)));
    while (socket.readyState === WebSocket.OPEN) {
      const message = {
        type: 'candidates',
        generation: 0,
        candidates: candidates(20_000 + (sent % 40_000)),
        end: false,
      } as const;
      socket.send(encodeFrame({ type: 'envelope', session, envelope: channel.seal(message) }));
      sent += 32;
      await drained(socket);
    }
  });
  return `${sent} candidates in 4 sessions of a ticket's holder`;
};

/** The same packets over and over from 20 sockets, as fast as they go out. */
async function flood(operation: Operation<PeerTarget>, packets: readonly Uint8Array[], what: string): Promise<string> {
  const { target, told, signal, hold } = operation;
  const sockets = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const socket = createSocket('udp4');
      socket.on('message', () => tell(told, 'answered'));
      await new Promise<void>((resolve) => socket.bind(0, `127.0.${130 + i}.1`, resolve));
      return socket;
    }),
  );
  let sent = 0;
  const startedAt = performance.now();
  void hold();
  while (!signal.aborted) {
    for (const socket of sockets) {
      for (const packet of packets) socket.send(packet, target.udpPort, '127.0.0.1');
      sent += packets.length;
    }
    await turn();
  }
  for (const socket of sockets) socket.close();
  const rate = sent / (performance.now() - startedAt);
  return `${sent} ${what}, ${rate.toFixed(0)}k/s`;
}

/** Connectivity checks with credentials that nobody has. */
const stunPackets: PeerAttack = (operation) => {
  const packets = Array.from({ length: 20 }, () =>
    encodeMessage(
      {
        class: 'request',
        method: BINDING,
        transactionId: randomBytes(12),
        attributes: [
          { type: 'username', value: `${randomBytes(3).toString('hex')}:peer` },
          { type: 'priority', value: 1 },
        ],
      },
      { integrityKey: shortTermKey('password of nobody'), fingerprint: true },
    ),
  );
  return flood(operation, packets, 'STUN requests');
};

/** Packets that look like QUIC, long and short headers. */
const quicPackets: PeerAttack = (operation) => {
  const packets = Array.from({ length: 20 }, (_, i) => {
    const packet = randomBytes(1_200);
    if (i % 2 === 0) packet.set([0xc0, 0, 0, 0, 1, 16]);
    else packet[0] = 0x40;
    return packet;
  });
  return flood(operation, packets, 'packets that look like QUIC');
};

export const peerAttacks = {
  offersWithoutSecret,
  offersWithSecret,
  endlessCandidates,
  stunPackets,
  quicPackets,
} satisfies Record<string, PeerAttack>;
