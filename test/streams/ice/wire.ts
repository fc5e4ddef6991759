import { Subject } from 'rxjs';
import type { Clock } from '../../../src/core/clock.ts';
import type { Datagram } from '../../../src/core/datagram.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../../src/core/network.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = { at: this.#now + delay, callback };
    const later = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
    return timer;
  }

  clearTimeout(timer: Timer): void {
    const found = this.#timers.indexOf(timer);
    if (found >= 0) this.#timers.splice(found, 1);
  }

  get pending(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    while (this.#timers.length > 0 && this.#timers[0]!.at <= until) {
      const { at, callback } = this.#timers.shift()!;
      this.#now = at;
      callback();
    }
    this.#now = until;
  }
}

/** Sockets bound to all addresses of their host, joined with 10 ms between them; `sent` counts by source. */
export class Wire {
  readonly clock = new ManualClock();
  readonly sent = new Map<string, number>();
  /** Whether `send` takes packets. */
  open = true;
  readonly #sockets = new Map<string, Subject<Datagram>>();

  socket(address: string, port: number): DatagramSocket {
    const own = endpoint(address, port);
    const datagrams$ = new Subject<Datagram>();
    this.#sockets.set(formatEndpoint(own), datagrams$);
    return {
      local: endpoint(own.family === 4 ? '0.0.0.0' : '::', port),
      datagrams$,
      send: (data, to) => this.#send(own, data, to),
      close: () => datagrams$.complete(),
    };
  }

  #send(from: Endpoint, data: Uint8Array, to: Endpoint): boolean {
    this.sent.set(formatEndpoint(from), (this.sent.get(formatEndpoint(from)) ?? 0) + 1);
    if (!this.open) return false;
    const copy = Uint8Array.from(data);
    this.clock.setTimeout(() => this.#sockets.get(formatEndpoint(to))?.next({ data: copy, from }), 10);
    return true;
  }
}
