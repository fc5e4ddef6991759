import { Subject } from 'rxjs';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import type { ByteListener, ByteSocket, TcpConnectOptions } from '../../../src/core/network.ts';

/** One end of a connection in memory: bytes arrive at once; writes are taken by the system while `taking` is on. */
export interface MemoryEnd extends ByteSocket {
  /** As if the system took bytes, or its buffer were full. */
  taking: boolean;
  readonly destroyed: boolean;
  /** The connection breaks. */
  break(): void;
}

/** A pair of ends: the one that connected, and the one that was accepted. */
export function memoryConnection(a: Endpoint, b: Endpoint): readonly [MemoryEnd, MemoryEnd] {
  const ends: [MemoryEnd, MemoryEnd] = [end(a, b, () => ends[1]), end(b, a, () => ends[0])];
  return ends;
}

const incoming = new WeakMap<ByteSocket, Subject<Uint8Array>>();

function end(local: Endpoint, remote: Endpoint, other: () => MemoryEnd): MemoryEnd {
  const bytes = new Subject<Uint8Array>();
  let waiting: (() => void)[] = [];
  let taking = true;
  let queued = 0;
  let destroyed = false;
  let close: () => void;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const reset = new TraversalError('ERR_CONNECTION_RESET', 'the connection broke');
  const made: MemoryEnd = {
    local,
    remote,
    closed,
    bytes$: bytes,
    get destroyed() {
      return destroyed;
    },
    get queued() {
      return queued;
    },
    get taking() {
      return taking;
    },
    set taking(next) {
      taking = next;
      if (next) for (const take of waiting.splice(0)) take();
    },
    read: () => Promise.reject(new TraversalError('ERR_BUSY', 'these ends are read by bytes$')),
    async write(chunk) {
      if (destroyed) throw new TraversalError('ERR_CLOSED', 'closed on this side');
      queued += chunk.length;
      if (!taking) await new Promise<void>((resolve) => waiting.push(resolve));
      queued -= chunk.length;
      incoming.get(other())?.next(chunk);
    },
    end: () => Promise.resolve(),
    destroy() {
      if (destroyed) return;
      destroyed = true;
      waiting = [];
      close();
      incoming.get(other())?.complete();
    },
    break() {
      if (destroyed) return;
      destroyed = true;
      close();
      bytes.error(reset);
    },
  };
  incoming.set(made, bytes);
  return made;
}

/** Hosts that are reached by TCP in memory. Whoever listens at no address refuses; who is `silent` never answers. */
export class MemoryTcp {
  /** `address:port` of each attempt, in order. */
  readonly attempts: string[] = [];
  /** Accepted ends, in order. */
  readonly accepted: MemoryEnd[] = [];
  /** The ends that connected, in order. */
  readonly opened: MemoryEnd[] = [];
  readonly #listeners = new Map<string, Subject<ByteSocket>>();
  readonly #silent = new Set<string>();
  #port = 40_000;

  /** A listener at this address that says it is bound to all. */
  listen(address: string, port: number): ByteListener {
    const connections$ = new Subject<ByteSocket>();
    const at = endpoint(address, port);
    this.#listeners.set(formatEndpoint(at), connections$);
    return {
      local: endpoint(at.family === 4 ? '0.0.0.0' : '::', port),
      connections$,
      close: async () => {
        this.#listeners.delete(formatEndpoint(at));
        connections$.complete();
      },
    };
  }

  silence(address: string, port: number): void {
    this.#silent.add(formatEndpoint(endpoint(address, port)));
  }

  /** The network of a host with this address. */
  host(address: string): { connect(options: TcpConnectOptions): Promise<ByteSocket> } {
    return { connect: (options) => this.dial(address, options) };
  }

  /** Connects and gives the connecting end; the accepted one is with the listener. */
  async dial(from: string, { host, port, localPort, signal }: TcpConnectOptions): Promise<MemoryEnd> {
    const to = endpoint(host, port);
    this.attempts.push(formatEndpoint(to));
    if (this.#silent.has(formatEndpoint(to))) await aborted(signal);
    const listener = this.#listeners.get(formatEndpoint(to));
    if (listener === undefined) throw new TraversalError('ERR_CONNECTION_REFUSED', 'nobody listens');
    const [near, far] = memoryConnection(endpoint(from, localPort ?? this.#port++), to);
    this.opened.push(near);
    this.accepted.push(far);
    listener.next(far);
    return near;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new TraversalError('ERR_ABORTED', 'given up')));
  });
}
