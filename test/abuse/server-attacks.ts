import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { encodeRelayFrame } from '../../src/protocol/rendezvous/index.ts';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { BINDING, encodeMessage } from '../../src/protocol/stun/index.ts';
import { filled, testIdentity } from '../protocol/rendezvous/support.ts';
import { frame, upgradeRequest } from '../server/raw-frames.ts';
import {
  type Attack,
  addresses,
  drained,
  open,
  openSilently,
  openWebSocket,
  openWebSockets,
  repeat,
  writeUntilThrownOut,
} from './operation.ts';
import { registerFrame, sayHello } from './say-hello.ts';
import { tell } from './told.ts';

/** WebSockets that never come about: 64 of each of 200 addresses, and 300 tries of one more. */
const halfOpen: Attack = async (operation) => {
  const request = upgradeRequest().slice(0, -2);
  let count = 0;
  for (const [address, tries] of [
    ...addresses(10, 200).map((one) => [one, 64] as const),
    ['127.0.9.1', 300] as const,
  ]) {
    for (let i = 0; i < tries; i++, count++) open(operation, address).socket.write(request);
    await turn();
  }
  await operation.hold();
  return `${count} connections of 201 addresses, each with half a request`;
};

/** WebSockets that say nothing: more than there is room for, of twelve addresses, of which each wants more than it may have. */
const idleWebSockets: Attack = async (operation) => {
  const { length } = await openWebSockets(operation, addresses(11, 12), 1_050 * operation.scale);
  await operation.hold();
  return `${length} silent WebSockets of 12 addresses`;
};

/** Readers that do not read what their accomplices have relayed to them. */
const slowReaders: Attack = async (operation) => {
  const { target, told, scale, signal } = operation;
  const writers: (() => void)[] = [];
  const join = async (localAddress: string, session: Uint8Array): Promise<void> => {
    const identity = testIdentity();
    const reader = (await sayHello(new WebSocket(target.url, { localAddress }), identity)).socket;
    const writer = (await sayHello(new WebSocket(target.url, { localAddress }))).socket;
    signal.addEventListener('abort', () => [reader, writer].map((socket) => socket.terminate()), { once: true });
    writer.on('close', (code, reason) => signal.aborted || tell(told, `${code} ${reason}`.trim()));
    const ids = { session, ticketId: filled(16, 1), caller: filled(16, 2), envelope: filled(10, 1) };
    writer.send(encodeFrame({ type: 'offer', to: identity.key, ...ids }));
    await once(reader, 'message');
    reader.send(encodeFrame({ type: 'envelope', session, envelope: filled(10, 1) }));
    reader.pause();
    const datagram = encodeRelayFrame(session, filled(1_200, 1));
    writers.push(() => {
      if (writer.readyState !== WebSocket.OPEN || writer.bufferedAmount > 100_000) return;
      for (let n = 0; n < 50; n++) writer.send(datagram);
      writer.send(encodeFrame({ type: 'envelope', session, envelope: filled(16_000, 1) }));
    });
  };
  await Promise.all(
    addresses(12, 8).map(async (address) => {
      for (let i = 0; i < 25 * scale; i++) {
        const session = Buffer.alloc(16, address);
        session.writeUInt32BE(i, 0);
        await join(address, session);
      }
    }),
  );
  const timer = setInterval(() => {
    for (const write of writers) write();
  }, 20);
  await operation.hold();
  clearInterval(timer);
  return `${writers.length} readers that do not read, each written to at up to 3 MB/s`;
};

/** Frames that are longer than any may be. */
const giantFrames: Attack = async (operation) => {
  const frames = [
    frame(1, Buffer.alloc(192 * 1024), { length: 192 * 1024 + 1 }),
    frame(2, Buffer.alloc(64 * 1024), { length: 2 ** 40 }),
    frame(2, Buffer.alloc(100_000)),
  ];
  const from = addresses(13, 20);
  const count = await repeat(20, operation, (lane) =>
    writeUntilThrownOut(operation, from[lane]!, frames[lane % frames.length]!),
  );
  return `${count} connections of 20 addresses, each with giant frames until its end`;
};

/** Frames without anything in them. */
const emptyFrames: Attack = async (operation) => {
  const frames = [1, 2].map((opcode) =>
    Buffer.concat(Array.from({ length: 10_000 }, () => frame(opcode, Buffer.alloc(0)))),
  );
  const from = addresses(14, 10);
  const count = await repeat(10, operation, (lane) => writeUntilThrownOut(operation, from[lane]!, frames[lane % 2]!));
  return `${count} connections of 10 addresses, each with empty frames until its end`;
};

/** Control frames of the WebSocket itself. */
const pings: Attack = async (operation) => {
  const flood = Buffer.concat(Array.from({ length: 5_000 }, () => frame(9, Buffer.alloc(4))));
  const from = addresses(15, 10);
  const count = await repeat(10, operation, (lane) => writeUntilThrownOut(operation, from[lane]!, flood));
  return `${count} connections of 10 addresses, each with pings until its end`;
};

/** Offers to somebody who has nothing to do with it. */
const offers: Attack = async (operation) => {
  const to = Buffer.from(operation.target.listener, 'hex');
  const from = addresses(16, 4);
  let sent = 0;
  const connections = await repeat(40, operation, async (lane) => {
    const raw = await openWebSocket(operation, from[lane % 4]!);
    for (let i = 0; !raw.socket.destroyed && i < 1_000_000; i++, sent++) {
      const session = Buffer.alloc(16, lane);
      session.writeUInt32BE(i);
      const ids = { session, ticketId: filled(16, 1), caller: filled(16, lane), envelope: filled(3_000, 1) };
      const text = Buffer.from(encodeFrame({ type: 'offer', to, ...ids }));
      if (!raw.socket.write(frame(1, text))) await Promise.race([drained(raw.socket), raw.ended]);
    }
  });
  return `${sent} offers on ${connections} connections of 4 addresses`;
};

/** Listeners that come and go. */
const churn: Attack = async (operation) => {
  const { target, told } = operation;
  const from = addresses(17, 4);
  const identities = Array.from({ length: 16 }, testIdentity);
  const count = await repeat(16, operation, async (lane) => {
    const socket = new WebSocket(target.url, { localAddress: from[lane % 4]! });
    try {
      await sayHello(socket, identities[lane]!);
    } catch (error) {
      tell(told, error instanceof Error ? error.message : String(error));
    }
    socket.terminate();
  });
  return `${count} registrations, each on a connection of its own, of 4 addresses`;
};

/** One client after the other that registers one key after the other. */
const thousandKeys: Attack = async (operation) => {
  const { target, told } = operation;
  const identities = Array.from({ length: 1_000 }, testIdentity);
  let registrations = 0;
  const clients = await repeat(1, operation, async () => {
    const { socket, hello } = await sayHello(new WebSocket(target.url, { localAddress: '127.0.18.1' }));
    const closed = new Promise<void>((resolve) => {
      socket.on('close', (code, reason) => {
        tell(told, `${code} ${reason}`.trim());
        resolve();
      });
    });
    socket.on('message', (data) => {
      const { type, code } = JSON.parse(String(data)) as { type: string; code?: string };
      if (type === 'registered') registrations++;
      else tell(told, code ?? type);
    });
    for (const identity of identities) socket.send(registerFrame(hello, identity));
    await closed;
  });
  return `${clients} clients of one address, each with 1,000 keys: ${registrations} registrations`;
};

/** STUN requests of many addresses, as fast as they go out. */
const stunFlood: Attack = async ({ target, told, scale, signal, hold }) => {
  const request = encodeMessage({ class: 'request', method: BINDING, transactionId: filled(12, 1), attributes: [] });
  const sockets = await Promise.all(
    Array.from({ length: 50 * scale }, async (_, i) => {
      const socket = createSocket('udp4');
      socket.on('message', () => tell(told, 'answered'));
      await new Promise<void>((resolve) => socket.bind(0, `127.0.${100 + i}.1`, resolve));
      return socket;
    }),
  );
  let sent = 0;
  void hold();
  while (!signal.aborted) {
    for (const socket of sockets) {
      for (let i = 0; i < 10; i++, sent++) socket.send(request, target.stunPort, '127.0.0.1');
    }
    await turn();
  }
  for (const socket of sockets) socket.close();
  return `${sent} STUN requests of ${sockets.length} networks`;
};

/** Messages that are begun and never completed. */
const begunMessages: Attack = async (operation) => {
  const begun = frame(1, Buffer.alloc(190 * 1024, 0x20), { length: 192 * 1024 });
  const opened = await openWebSockets(operation, addresses(19, 2), 500 * operation.scale);
  for (const { socket } of opened) {
    if (!socket.destroyed) socket.write(begun);
    await turn();
  }
  await operation.hold();
  return `${opened.length} clients of 2 addresses, each with 190 KiB of a message`;
};

/** Connections with thousands of HTTP requests at once. */
const requests: Attack = async (operation) => {
  const flood = 'GET /healthz HTTP/1.1\r\n\r\n'.repeat(2_600);
  const from = addresses(20, 10);
  const count = await repeat(20, operation, async (lane) => {
    const { socket, ended } = openSilently(operation, from[lane % 10]!);
    socket.write(flood);
    tell(operation.told, `${(await ended).split('HTTP/1.1 200').length - 1} answers`);
  });
  return `${count} connections of 10 addresses, each with 2,600 requests`;
};

export const serverAttacks = {
  halfOpen,
  idleWebSockets,
  slowReaders,
  giantFrames,
  emptyFrames,
  pings,
  offers,
  churn,
  thousandKeys,
  stunFlood,
  begunMessages,
  requests,
} satisfies Record<string, Attack>;
