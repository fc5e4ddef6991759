import { tap } from 'rxjs';
import type { Endpoint, Family } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';
import type {
  ByteListener,
  ByteSocket,
  DatagramSocket,
  Gateway,
  Network,
  NetworkInterface,
} from '../../core/network.ts';
import type { Random } from '../../core/random.ts';
import { randomInteger } from '../../core/random.ts';
import { ProgramNetwork } from '../../scenario/program-network.ts';
import { FaultySocket } from './faulty-socket.ts';
import { countSubscriptions, type SubscriptionCount } from './subscription-count.ts';

/** What is wrong with a network. */
export interface NetworkFaults {
  /** Whether no datagram gets through, in either direction. */
  blocked: boolean;
  /** Share of the datagrams that is lost, in either direction; 0..1. */
  loss: number;
}

/** A network whose faults can be chosen while it is in use. It counts what is open, what is subscribed to, and what is sent. */
export class FaultyNetwork implements Network {
  readonly faults: NetworkFaults = { blocked: false, loss: 0 };
  readonly #network: ProgramNetwork;
  readonly #random: Random;
  readonly #subscriptions: SubscriptionCount;
  /** Local ports of the first UDP socket of each family; what is known before the socket is opened is what it gets. */
  readonly ports = new Map<Family, number>();
  readonly #datagramSockets = new Set<FaultySocket>();
  /** Families of which a UDP socket was opened. */
  readonly #opened = new Set<Family>();
  /** Of TCP. */
  readonly #closers = new Set<() => void>();
  #sent = 0;

  /** `random`: of which datagrams are lost. */
  constructor(network: Network, random: Random, subscriptions: SubscriptionCount) {
    this.#network = new ProgramNetwork(network);
    this.#random = random;
    this.#subscriptions = subscriptions;
  }

  /** UDP sockets, and TCP connections and listeners. */
  get open(): number {
    return this.#network.open;
  }

  /** Datagrams that were handed over for sending, those that were lost or blocked included. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Gives every UDP socket another port towards the outside, while its owner sees the same socket: as a NAT's rebinding does. Sockets of
   * addresses that the host has no more have no outside.
   */
  async rebind(): Promise<void> {
    for (const socket of this.#datagramSockets) if (this.#isHere(socket.local)) await socket.rebind();
  }

  /** Ends everything that is open, as the end of a process does. */
  destroy(): void {
    for (const socket of [...this.#datagramSockets]) socket.close();
    for (const close of [...this.#closers]) close();
  }

  interfaces(): readonly NetworkInterface[] {
    return this.#network.interfaces();
  }

  gateways(): Promise<readonly Gateway[]> {
    return this.#network.gateways();
  }

  resolve(...[host, options]: Parameters<Network['resolve']>): Promise<readonly string[]> {
    return this.#network.resolve(host, options);
  }

  async udp(options: Parameters<Network['udp']>[0]): Promise<DatagramSocket> {
    const { family } = options;
    const isFirst = !this.#opened.has(family);
    this.#opened.add(family);
    const own = await this.#network.udp(isFirst ? { port: this.ports.get(family), ...options } : options);
    if (isFirst) this.ports.set(family, own.local.port);
    const socket = new FaultySocket(own, {
      open: () => this.#network.udp({ ...options, port: 0 }),
      isLost: () => this.#isLost(),
      onSend: () => this.#sent++,
      onClose: () => this.#datagramSockets.delete(socket),
      subscriptions: this.#subscriptions,
    });
    this.#datagramSockets.add(socket);
    return socket;
  }

  async connect(options: Parameters<Network['connect']>[0]): Promise<ByteSocket> {
    return this.#hold(await this.#network.connect(options));
  }

  async listen(options: Parameters<Network['listen']>[0]): Promise<ByteListener> {
    const listener = await this.#network.listen(options);
    this.#closers.add(() => void listener.close());
    const connections$ = listener.connections$.pipe(tap((socket) => this.#hold(socket)));
    return {
      local: listener.local,
      connections$: countSubscriptions(connections$, this.#subscriptions),
      close: () => listener.close(),
    };
  }

  #hold(socket: ByteSocket): ByteSocket {
    const destroy = (): void => socket.destroy();
    this.#closers.add(destroy);
    socket.closed.then(() => this.#closers.delete(destroy));
    return socket;
  }

  #isHere({ address }: Endpoint): boolean {
    return classifyAddress(address) === 'unspecified' || this.interfaces().some((own) => own.address === address);
  }

  #isLost(): boolean {
    const { blocked, loss } = this.faults;
    return blocked || (loss > 0 && randomInteger(this.#random, PRECISION) < loss * PRECISION);
  }
}

const PRECISION = 1_000_000;
