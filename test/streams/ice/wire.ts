import { Subject } from 'rxjs';
import type { Datagram } from '../../../src/core/datagram.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../../src/core/network.ts';
import { manualClock } from '../../manual-clock.ts';

/** Sockets bound to all addresses of their host, joined with 10 ms between them; `sent` counts by source. */
export class Wire {
  readonly clock = manualClock();
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
