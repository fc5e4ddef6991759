import type { Observable } from 'rxjs';
import type { Datagram } from '../../core/datagram.ts';
import { type Endpoint, endpoint } from '../../core/endpoint.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { Relay, RelayedSocket } from '../../core/relay.ts';

/** A relay whose socket towards the server is real, and all else is not. `answer` says whether the server does. */
export function trialRelay(answer: (socket: RelayedSocket) => Promise<RelayedSocket>): Relay {
  return {
    name: 'turn:192.0.2.2:3478?transport=udp',
    transport: 'turn-udp',
    async allocate({ network }) {
      const socket = new TrialRelayedSocket(await network.udp({ family: 4 }));
      try {
        return await answer(socket);
      } catch (error) {
        socket.close();
        throw error;
      }
    },
  };
}

class TrialRelayedSocket implements RelayedSocket {
  readonly relay = { name: 'turn:192.0.2.2:3478?transport=udp', transport: 'turn-udp' } as const;
  readonly local: Endpoint = endpoint('192.0.2.2', 50_000);
  readonly mapped: Endpoint = endpoint('192.0.2.10', 4_000);
  readonly datagrams$: Observable<Datagram>;
  readonly #towards: DatagramSocket;

  constructor(towards: DatagramSocket) {
    this.#towards = towards;
    this.datagrams$ = towards.datagrams$;
  }

  permit(): void {}

  send(): boolean {
    return true;
  }

  close(): void {
    this.#towards.close();
  }
}
