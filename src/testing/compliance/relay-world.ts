import type { Path, PathTransport } from '../../core/path.ts';
import { filled } from './bytes.ts';
import { relayOf } from './signaling-client.ts';
import { SignalingBench, type SignalingWorld } from './signaling-world.ts';
import { Bench, type ComplianceWorld } from './suite.ts';

/** A relay that carries datagrams, such as a rendezvous server or a TURN server. */
export interface RelayWorld extends ComplianceWorld {
  /** What its paths are. */
  readonly transport: PathTransport;
  /** Bytes of the longest datagram that it carries, at least 1200. */
  readonly longest: number;
  /** One more relayed path, over which both sides may send. */
  connect(): Promise<RelayPair>;
  /** Takes the relay away from under all of its paths, without a word. */
  cut(): Promise<void>;
}

export interface RelayPair {
  /** The end that is relayed. */
  readonly a: Path;
  /** The other end: relayed too, or what the relay's datagrams come in on and go back by. */
  readonly b: Path;
  /** Ends, at the side of `a`, what the path belongs to: its session, its allocation. */
  leave(): void;
}

export class RelayBench extends Bench<RelayWorld> {
  async connect(): Promise<RelayPair> {
    const pair = await this.world.connect();
    this.closeAfterwards(pair.a);
    this.closeAfterwards(pair.b);
    return pair;
  }
}

/** Copies of what comes in on the path from now on. */
export function receivedBy(path: Path): Uint8Array[] {
  const received: Uint8Array[] = [];
  path.datagrams$.subscribe((datagram) => received.push(Uint8Array.from(datagram)));
  return received;
}

/** The relay that belongs to signalling: makes a world of `relayCompliance` out of one of `signalingCompliance`. */
export async function relayOfSignaling(
  signaling: SignalingWorld,
  transport: PathTransport = 'websocket',
): Promise<RelayWorld> {
  const bench = new SignalingBench(signaling);
  let sessions = 0;
  return {
    clock: signaling.clock,
    settle: (promise) => signaling.settle(promise),
    transport,
    longest: LONGEST,
    async connect() {
      const { dialer, listener, session } = await bench.join(filled(16, ++sessions));
      return {
        a: relayOf(dialer, session),
        b: relayOf(listener, session),
        leave: () => dialer.signaling.leave(session),
      };
    },
    cut: () => signaling.stop(),
    async close() {
      bench.close();
      await signaling.close();
    },
  };
}

/** Bytes: what a rendezvous server carries by default. */
const LONGEST = 1_500;
