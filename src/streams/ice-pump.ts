import type { Clock, TimerHandle } from '../core/clock.ts';
import { type Endpoint, sameEndpoint } from '../core/endpoint.ts';
import type { Network } from '../core/network.ts';
import type { IceAgent, IceEvent, IceInput, IceOutput } from '../protocol/ice/index.ts';
import { type StunMessage, transactionKey } from '../protocol/stun/index.ts';
import type { PacketRouter, Unregister } from './packet-router.ts';
import type { TcpLobby } from './tcp-lobby.ts';
import { createTcpPairs, type TcpPairs } from './tcp-pairs.ts';

/** Joins an ICE agent to the sockets and the clock. */
export interface IcePump {
  readonly agent: IceAgent;
  /** Hands the agent an input and does what it then asks for. Does nothing once stopped. */
  handle(input: Exclude<IceInput, { type: 'message' }>): void;
  /** Also checks from, and answers on, this socket, whose local address is the base of its candidates. */
  listen(router: PacketRouter): void;
  /** The socket of a base. */
  routerOf(base: Endpoint): PacketRouter | undefined;
  /** Sends a packet of the session on the TCP connection of a pair; false when it was dropped. */
  sendTcp(pairId: string, packet: Uint8Array): boolean;
  /** Takes the agent off the sockets and the clock; both live on. */
  stop(): void;
}

export interface IcePumpOptions {
  readonly agent: IceAgent;
  readonly clock: Clock;
  /** One a socket. A transmission goes out on the one that has its base, else on the one whose family and port are those of its base. */
  readonly routers: readonly PacketRouter[];
  /** Absent, there are no TCP candidates. */
  readonly tcp?: IcePumpTcp;
  /** May call `handle` and `stop`. */
  readonly onEvent: (event: IceEvent) => void;
}

export interface IcePumpTcp {
  readonly network: Pick<Network, 'connect'>;
  /** Where connections to us come in; absent, we only open some. */
  readonly lobby?: TcpLobby;
  /** A packet of the session came in on the TCP connection of a pair; valid during the call only. */
  readonly onPacket: (packet: Uint8Array, pairId: string) => void;
}

/** A transmission that the socket drops, or that has no socket, counts as lost on the way: the agent sends again. */
export function createIcePump(options: IcePumpOptions): IcePump {
  return new AgentPump(options);
}

/** A class, as are the parts of the agent: a peer has one for each of its connections, and closures take twice as much. */
class AgentPump implements IcePump {
  readonly agent: IceAgent;
  readonly #clock: Clock;
  readonly #routers: PacketRouter[] = [];
  readonly #tcp: IcePumpTcp | undefined;
  readonly #onEvent: (event: IceEvent) => void;
  readonly #requests: Unregister[] = [];
  readonly #callers: Unregister | undefined;
  /** By transaction ID. */
  readonly #responses = new Map<string, Unregister>();
  /** Made for the first of them: where UDP works there is none. */
  #connections: TcpPairs | undefined;
  #timer: TimerHandle | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  readonly #wake = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#drain();
  };
  #draining = false;
  #stopped = false;

  constructor({ agent, clock, routers, tcp, onEvent }: IcePumpOptions) {
    this.agent = agent;
    this.#clock = clock;
    this.#tcp = tcp;
    this.#onEvent = onEvent;
    for (const router of routers) this.listen(router);
    this.#callers = tcp?.lobby?.onCaller(agent.ufrag, (caller) => this.#tcpPairs(tcp).accept(caller));
  }

  handle(input: IceInput): void {
    if (this.#stopped) return;
    this.agent.handle(input, this.#clock.now());
    this.#drain();
  }

  listen(router: PacketRouter): void {
    this.#routers.push(router);
    this.#requests.push(router.onRequest(this.agent.ufrag, (message, from) => this.#receive(message, from, router)));
  }

  routerOf(base: Endpoint): PacketRouter | undefined {
    return (
      this.#routers.find(({ socket }) => sameEndpoint(socket.local, base)) ??
      this.#routers.find(({ socket }) => isSameSocket(socket.local, base))
    );
  }

  sendTcp(pairId: string, packet: Uint8Array): boolean {
    return this.#connections?.send(pairId, packet) ?? false;
  }

  stop(): void {
    this.#stopped = true;
    this.#callers?.();
    this.#connections?.stop();
    this.#clock.clearTimeout(this.#timer);
    for (const unregister of [...this.#requests, ...this.#responses.values()]) unregister();
    this.#responses.clear();
  }

  #receive(message: StunMessage, from: Endpoint, { socket }: PacketRouter): void {
    this.handle({ type: 'message', transport: 'udp', message, from, base: socket.local });
  }

  #tcpPairs({ network, onPacket }: IcePumpTcp): TcpPairs {
    this.#connections ??= createTcpPairs({
      network,
      clock: this.#clock,
      on: {
        message: (message, on, from) => this.handle({ type: 'message', message, from, ...on }),
        packet: onPacket,
        ended: (on, to) => this.handle({ type: 'disconnected', to, ...on }),
      },
    });
    return this.#connections;
  }

  /** Carries out outputs until the agent waits. What comes in meanwhile is carried out by the same loop. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (!this.#stopped && !this.#carryOut(this.agent.poll(this.#clock.now())));
    } finally {
      this.#draining = false;
    }
  }

  /** True when the agent waits. */
  #carryOut(output: IceOutput): boolean {
    switch (output.type) {
      case 'transmit':
        if (output.transport === 'udp') this.#transmit(output);
        else if (this.#tcp !== undefined) this.#tcpPairs(this.#tcp).transmit(output);
        return false;
      case 'settled':
        this.#forget(output.transactionId);
        this.#connections?.settle(output.transactionId);
        return false;
      case 'event':
        if (output.event.type === 'pair.valid') this.#connections?.keep(output.event.pairId);
        if (output.event.type === 'pair.lost') this.#connections?.close(output.event.pairId);
        this.#onEvent(output.event);
        return false;
      case 'wait':
        this.#connections?.tidy();
        this.#sleep(output.until);
        return true;
    }
  }

  #transmit({ base, to, bytes, transactionId, request }: Extract<IceOutput, { type: 'transmit' }>): void {
    const router = this.routerOf(base);
    if (router === undefined) return;
    const key = transactionKey(transactionId);
    if (request && !this.#responses.has(key)) {
      const unregister = router.onResponse(transactionId, to, (message, from) => this.#receive(message, from, router));
      this.#responses.set(key, unregister);
    }
    router.socket.send(bytes, to);
  }

  #forget(transactionId: Uint8Array): void {
    const key = transactionKey(transactionId);
    this.#responses.get(key)?.();
    this.#responses.delete(key);
  }

  #sleep(until = Number.POSITIVE_INFINITY): void {
    if (until === this.#timerAt) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timerAt = until;
    this.#timer =
      until === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.setTimeout(this.#wake, Math.max(0, until - this.#clock.now()));
  }
}

/** A peer's own sockets are bound to all addresses of a family, so a base tells them by family and port alone. */
function isSameSocket(local: Endpoint, base: Endpoint): boolean {
  return local.family === base.family && local.port === base.port;
}
