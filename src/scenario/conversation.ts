import { TraversalError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import type { SessionStream } from '../core/session.ts';
import type { Connection } from '../index.ts';
import type { VirtualClock } from '../sim/virtual-clock.ts';
import type { Pong } from './outcome.ts';

export interface ConversationOptions {
  readonly clock: VirtualClock;
  /** ms between two pings; absent: none. */
  readonly pingEvery: number | undefined;
  /** The first message is back. */
  readonly onEcho: () => void;
  /** `sentAt` in ms since the beginning of the run. */
  readonly onPong: (pong: Pong) => void;
}

/**
 * What a dialer says on one stream of a connection: a message that is to come back, then pings, each when its time has come and the one
 * before is back, until the connection ends. Errors: those of the connection and of its stream.
 */
export async function converse(connection: Connection, options: ConversationOptions): Promise<void> {
  const { clock, pingEvery, onEcho, onPong } = options;
  const stream = await connection.openStream();
  await roundTrip(stream, 'hello');
  onEcho();
  if (pingEvery === undefined) return;
  for (let seq = 1; ; seq++) {
    const outward = connection.path;
    const sentAt = clock.microseconds;
    await roundTrip(stream, `ping ${seq}`);
    const rtt = (clock.microseconds - sentAt) / 1000;
    // Direct only when both ways were: the other side may still have been on the relay.
    const homeward = connection.lastHeard;
    const path = homeward?.kind === 'relayed' ? homeward : outward;
    if (path !== undefined) onPong({ seq, sentAt: sentAt / 1000, rtt, kind: path.kind });
    await pause(clock, Math.max(0, pingEvery - rtt));
  }
}

/** Sends a text and waits for it to come back. */
async function roundTrip(stream: SessionStream, text: string): Promise<void> {
  const sent = Buffer.from(text);
  let heard = Buffer.alloc(0);
  await stream.write(sent);
  while (heard.length < sent.length) {
    const chunk = await stream.read();
    if (chunk === null) throw new TraversalError('ERR_CLOSED', 'the other side ended the stream before all was echoed');
    heard = Buffer.concat([heard, chunk]);
  }
  if (!heard.equals(sent))
    throw new TraversalError('ERR_PROTOCOL', `sent ${text}, and ${heard.length} other bytes came back`);
}
