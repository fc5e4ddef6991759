import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { follow, type RawSocket, upgradeRequest } from '../server/raw-frames.ts';
import { noteEnd, type Told } from './told.ts';

/** A server, and a listener on it. */
export interface Target {
  readonly url: string;
  readonly port: number;
  readonly stunPort: number;
  /** A listener that others offer sessions to, 32 bytes in hex. */
  readonly listener: string;
}

/** What an attack runs with. */
export interface Operation<At extends Target = Target> {
  readonly target: At;
  readonly told: Told;
  /** Share of the full load, 0 to 1. */
  readonly scale: number;
  /** Goes on for as long as was asked for; then `signal` aborts. */
  hold(): Promise<void>;
  /** Aborts when everything is to end. */
  readonly signal: AbortSignal;
}

/** Gives the load in words. */
export type Attack<At extends Target = Target> = (operation: Operation<At>) => Promise<string>;

/** 127.0.`net`.1 and the next ones. */
export function addresses(net: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `127.0.${net}.${i + 1}`);
}

/** A connection that is destroyed in the end, and what it is told until then. */
export function open(operation: Operation, localAddress: string): RawSocket {
  const raw = openSilently(operation, localAddress);
  noteEnd(operation.told, raw, operation.signal);
  return raw;
}

/** The same for those who look themselves at what they are told. */
export function openSilently({ target, signal }: Operation, localAddress: string): RawSocket {
  const raw = follow(connect({ port: target.port, host: '127.0.0.1', localAddress, noDelay: true }));
  signal.addEventListener('abort', () => raw.socket.destroy(), { once: true });
  return raw;
}

/** An upgraded connection; fulfils with the server's answer to the upgrade, or its end. */
export async function openWebSocket(operation: Operation, localAddress: string): Promise<RawSocket> {
  const raw = open(operation, localAddress);
  raw.socket.write(upgradeRequest());
  await raw.until('\r\n\r\n');
  return raw;
}

/** `perAddress` upgraded connections of one address after the other, 50 at a time. */
export async function openWebSockets(
  operation: Operation,
  from: readonly string[],
  perAddress: number,
): Promise<RawSocket[]> {
  const opened: RawSocket[] = [];
  for (const address of from) {
    for (let left = perAddress; left > 0; left -= 50) {
      const some = Array.from({ length: Math.min(50, left) }, () => openWebSocket(operation, address));
      opened.push(...(await Promise.all(some)));
    }
  }
  return opened;
}

/** Unlike `once`, it does not mind an error: whoever waits for the end as well learns of it. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('drain', resolve));
}

/** Does the same thing over and over, `lanes` at a time, for as long as was asked for; gives how often. */
export async function repeat(
  lanes: number,
  { hold, signal }: Operation,
  action: (lane: number) => Promise<unknown>,
): Promise<number> {
  let count = 0;
  const ended = hold();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (!signal.aborted) {
        await Promise.race([action(lane), ended]);
        count++;
        await turn();
      }
    }),
  );
  return count;
}

/** Connects, upgrades, writes the same bytes until it is thrown out. */
export async function writeUntilThrownOut(operation: Operation, from: string, bytes: Buffer): Promise<void> {
  const raw = await openWebSocket(operation, from);
  const { socket, ended } = raw;
  while (!socket.destroyed && socket.write(bytes));
  socket.on('drain', () => {
    while (!socket.destroyed && socket.write(bytes));
  });
  await ended;
}
