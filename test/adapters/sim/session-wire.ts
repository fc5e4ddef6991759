import { firstValueFrom } from 'rxjs';
import { simIdentity, simSessions } from '../../../src/adapters/sim/index.ts';
import type { Session, SessionStream } from '../../../src/core/session.ts';
import { seededRandom, VirtualClock } from '../../../src/sim/index.ts';

export interface WireOptions {
  readonly seed?: number;
  /** One way, in ms. */
  readonly delay?: number;
  /** Whether a packet is lost. */
  readonly lose?: (packet: WirePacket) => boolean;
}

/** A packet that was sent. */
export interface WirePacket {
  readonly from: 'client' | 'server';
  /** Its place among those that its side sent, from 0. */
  readonly number: number;
  /** ms of virtual time. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** Two simulated sessions that have just begun, and what they send each other. */
export interface Wire {
  readonly clock: VirtualClock;
  readonly client: Session;
  readonly server: Session;
  readonly packets: WirePacket[];
  /** Packets of one side. */
  sent(from: 'client' | 'server'): WirePacket[];
  /** Runs until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Decides from now on what is lost. */
  lose: (packet: WirePacket) => boolean;
}

export async function wire({ seed = 1, delay = 40, lose = () => false }: WireOptions = {}): Promise<Wire> {
  const clock = new VirtualClock();
  const packets: WirePacket[] = [];
  const peer = async (name: string) => {
    const random = seededRandom(seed).stream(name);
    const identity = simIdentity(random);
    return { identity, factory: await simSessions(identity, { clock, random }) };
  };
  const peers = { client: await peer('client'), server: await peer('server') };
  const carry = (from: 'client' | 'server', packet: Uint8Array): void => {
    const sent = { from, number: counts[from]++, at: clock.now(), bytes: Buffer.from(packet) };
    packets.push(sent);
    const to = from === 'client' ? 'server' : 'client';
    if (!made.lose(sent)) clock.setTimeout(() => made[to].receive(Buffer.from(sent.bytes)), delay);
  };
  const counts = { client: 0, server: 0 };
  const made = {
    clock,
    packets,
    lose,
    sent: (from: 'client' | 'server') => packets.filter((packet) => packet.from === from),
    settle: <T>(promise: Promise<T>) => clock.runUntil(promise),
  } as { -readonly [Key in keyof Wire]: Wire[Key] };
  made.server = peers.server.factory.create({
    role: 'server',
    expectedKey: peers.client.identity.publicKey,
    transmit: (packet) => carry('server', packet),
  });
  made.client = peers.client.factory.create({
    role: 'client',
    expectedKey: peers.server.identity.publicKey,
    transmit: (packet) => carry('client', packet),
  });
  return made;
}

/** Both sides are established, and have nothing more to say. */
export async function establishedWire(options: WireOptions = {}): Promise<Wire> {
  const made = await wire(options);
  await made.settle(Promise.all([made.client.established, made.server.established]));
  await made.clock.run();
  made.packets.length = 0;
  return made;
}

/** Both ends of a stream that the client opened. */
export async function openedStream({ client, server, clock }: Wire): Promise<[SessionStream, SessionStream]> {
  const incoming = firstValueFrom(server.streams$);
  const mine = await clock.runUntil(client.openStream('test'));
  const theirs = await clock.runUntil(incoming);
  await clock.run();
  return [mine, theirs];
}
