import { firstValueFrom } from 'rxjs';
import type { SessionStream } from '../../core/session.ts';
import { type LinkOptions, SessionLink, type SessionPair } from './session-link.ts';
import { Bench, type ComplianceWorld } from './suite.ts';

/** Two peers with identities of their own; what lies between them is the suite's. */
export interface SessionWorld extends ComplianceWorld, SessionPair {}

export class SessionBench extends Bench<SessionWorld> {
  /** Two sessions that have just begun their handshake. */
  link(options: Partial<LinkOptions> = {}): SessionLink {
    return this.closeAfterwards(new SessionLink(this.world, { clock: this.clock, ...options }));
  }

  connect(options?: Partial<LinkOptions>): Promise<SessionLink> {
    return this.link(options).established();
  }
}

/** Both ends of a stream that the client opened. */
export async function openPair({ client, server }: SessionLink): Promise<StreamPair> {
  const incoming = firstValueFrom(server.streams$);
  const mine = await client.openStream('test');
  return { mine, theirs: await incoming };
}

export interface StreamPair {
  readonly mine: SessionStream;
  readonly theirs: SessionStream;
}

/** To the other side's end. */
export async function readAll(stream: SessionStream): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(); part !== null; part = await stream.read()) parts.push(part);
  return Buffer.concat(parts);
}

export async function echoBack(stream: SessionStream): Promise<void> {
  for (let part = await stream.read(); part !== null; part = await stream.read()) await stream.write(part);
  await stream.end();
}

/** What comes back on a stream of its own. */
export async function echo(link: SessionLink, bytes: Uint8Array, opener: 'client' | 'server' = 'client') {
  const acceptor = opener === 'client' ? link.server : link.client;
  void firstValueFrom(acceptor.streams$).then(echoBack);
  const stream = await link[opener].openStream('echo');
  await stream.write(bytes);
  await stream.end();
  return readAll(stream);
}
