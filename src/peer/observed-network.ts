import { type Observable, tap } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { Datagram } from '../core/datagram.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { DatagramSocket, Network } from '../core/network.ts';
import { packetKind } from '../protocol/packet-kind.ts';
import type { PeerObserver, SeenPacket } from './peer-observer.ts';

/** The same network, whose UDP sockets tell the headers of their packets. */
export function observedNetwork(
  network: Network,
  clock: Pick<Clock, 'now'>,
  observer: Pick<PeerObserver, 'packet'>,
): Network {
  return {
    interfaces: () => network.interfaces(),
    gateways: () => network.gateways(),
    resolve: (host, options) => network.resolve(host, options),
    connect: (options) => network.connect(options),
    listen: (options) => network.listen(options),
    udp: async (options) => new ObservedSocket(await network.udp(options), clock, observer),
  };
}

class ObservedSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly datagrams$: Observable<Datagram>;
  readonly joinGroup?: (group: string, address: string) => void;
  readonly #socket: DatagramSocket;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #observer: Pick<PeerObserver, 'packet'>;
  /** Of packets that are alike. */
  readonly #counts = new Map<string, Count>();
  /** That of the last packet each way, which the next one is mostly like. */
  readonly #latest: Partial<Record<SeenPacket['way'], Count>> = {};

  constructor(socket: DatagramSocket, clock: Pick<Clock, 'now'>, observer: Pick<PeerObserver, 'packet'>) {
    this.#socket = socket;
    this.#clock = clock;
    this.#observer = observer;
    this.local = socket.local;
    this.datagrams$ = socket.datagrams$.pipe(tap(({ data, from }) => this.#see('received', data, from)));
    if (socket.joinGroup !== undefined) this.joinGroup = (group, address) => socket.joinGroup?.(group, address);
  }

  send(data: Uint8Array, to: Endpoint): boolean {
    this.#see('sent', data, to);
    return this.#socket.send(data, to);
  }

  close(): void {
    this.#socket.close();
  }

  #see(way: SeenPacket['way'], data: Uint8Array, remote: Endpoint): void {
    const { local } = this;
    const carries = packetKind(data, local.port, remote.port);
    const count = this.#countOf(way, carries, remote);
    if (count.told >= MAX_TOLD) {
      count.more++;
      return;
    }
    const { more } = count;
    count.told++;
    count.more = 0;
    this.#observer.packet?.({ way, local, remote, length: data.length, carries, more });
  }

  #countOf(way: SeenPacket['way'], carries: string | undefined, remote: Endpoint): Count {
    const latest = this.#latest[way];
    const count = latest !== undefined && isOf(latest, carries, remote) ? latest : this.#find(way, carries, remote);
    this.#latest[way] = count;
    const now = this.#clock.now();
    if (now - count.since >= PERIOD) {
      count.since = now;
      count.told = 0;
    }
    return count;
  }

  #find(way: SeenPacket['way'], carries: string | undefined, remote: Endpoint): Count {
    const key = `${way} ${carries} ${formatEndpoint(remote)}`;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    if (this.#counts.size >= MAX_COUNTS) this.#counts.clear();
    const count = { carries, remote, since: this.#clock.now(), told: 0, more: 0 };
    this.#counts.set(key, count);
    return count;
  }
}

function isOf(count: Count, carries: string | undefined, { address, port }: Endpoint): boolean {
  const { remote } = count;
  return remote.port === port && remote.address === address && count.carries === carries;
}

interface Count {
  readonly carries: string | undefined;
  readonly remote: Endpoint;
  /** ms */
  since: number;
  /** Within the period. */
  told: number;
  /** Not told since. */
  more: number;
}

/** Packets that are alike, by direction, kind and remote address, of which so many a period (ms) are told. */
const MAX_TOLD = 20;
const PERIOD = 1_000;
/** Kinds that are counted at one time. */
const MAX_COUNTS = 4_096;
