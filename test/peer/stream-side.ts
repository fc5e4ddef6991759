import type { Clock } from '../../src/core/clock.ts';
import type { ByteSocket } from '../../src/core/network.ts';
import type { Path } from '../../src/core/path.ts';
import type { Random } from '../../src/core/random.ts';
import { tcpSimultaneousOpen } from '../../src/flows/strategies/tcp-simultaneous-open.ts';
import type { CheckServices } from '../../src/peer/link-checks.ts';
import { validateStream } from '../../src/peer/validated-stream.ts';
import { createCheckBudget, type IceCredentials } from '../../src/protocol/ice/index.ts';
import { createPathTable, type PathTable } from '../../src/streams/path-table.ts';

export interface StreamSideOptions {
  readonly role: 'dialer' | 'listener';
  readonly clock: Clock;
  readonly random: Random;
  readonly credentials: { readonly mine: IceCredentials; readonly theirs: IceCredentials };
  readonly loopback?: boolean;
  readonly onHandOver?: (socket: ByteSocket) => void;
}

/** One side of a connection, as far as it validates TCP connections: with what it has received and lost. */
export class StreamSide {
  readonly table: PathTable;
  /** Packets of the session in hexadecimal digits. */
  readonly received: string[] = [];
  readonly lost: string[] = [];
  readonly preferences: number[] = [];
  readonly handedOver: ByteSocket[] = [];
  readonly abort = new AbortController();
  readonly #services: CheckServices;
  readonly #onHandOver: (socket: ByteSocket) => void;

  constructor({ role, clock, random, credentials, loopback = false, onHandOver = () => {} }: StreamSideOptions) {
    this.#onHandOver = onHandOver;
    this.table = createPathTable({
      clock,
      receive: (packet) => void this.#take(packet),
      authenticate: (packet) => this.#take(packet),
      isWaiting: () => true,
      rtt: () => 80,
    });
    this.#services = {
      role,
      credentials,
      env: { clock, random, loopback },
      budget: createCheckBudget().share('other'),
      link: { table: this.table, accept: (packets) => void packets.map((packet) => this.#take(packet)) },
      losePath: (id, reason) => {
        this.lost.push(`${id} ${reason}`);
        this.table.remove(id);
      },
    };
  }

  validate(stream: ByteSocket): Promise<string> {
    const run = {
      strategy: tcpSimultaneousOpen().strategy,
      signal: this.abort.signal,
      handOver: (socket: ByteSocket) => {
        this.handedOver.push(socket);
        this.#onHandOver(socket);
      },
      adopt: (path: Path, preference = 0) => {
        this.preferences.push(preference);
        this.table.add(path);
        return path.info.id;
      },
    };
    return validateStream(this.#services, run as Parameters<typeof validateStream>[1], stream);
  }

  #take(packet: Uint8Array): boolean {
    this.received.push(Buffer.from(packet).toString('hex'));
    return true;
  }
}
