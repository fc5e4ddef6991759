import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Network } from '../core/network.ts';
import type { IceAgent, IceEvent, IceInput, IceOutput } from '../protocol/ice/index.ts';
import { transactionKey } from '../protocol/stun/index.ts';
import type { PacketRouter, Unregister } from './packet-router.ts';
import type { TcpLobby } from './tcp-lobby.ts';
import { createTcpPairs } from './tcp-pairs.ts';

/** Joins an ICE agent to the sockets and the clock. */
export interface IcePump {
  readonly agent: IceAgent;
  /** Hands the agent an input and does what it then asks for. Does nothing once stopped. */
  handle(input: Exclude<IceInput, { type: 'message' }>): void;
  /** Sends a packet of the session on the TCP connection of a pair; false when it was dropped. */
  sendTcp(pairId: string, packet: Uint8Array): boolean;
  /** Takes the agent off the sockets and the clock; both live on. */
  stop(): void;
}

export interface IcePumpOptions {
  readonly agent: IceAgent;
  readonly clock: Clock;
  /** One a socket. A transmission goes out on the one whose family and port are those of its base. */
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
export function createIcePump({ agent, clock, routers, tcp, onEvent }: IcePumpOptions): IcePump {
  const requests = routers.map((router) =>
    router.onRequest(agent.ufrag, (message, from) =>
      feed({ type: 'message', transport: 'udp', message, from, base: router.socket.local }),
    ),
  );
  /** By transaction ID. */
  const responses = new Map<string, Unregister>();
  let timer: TimerHandle | undefined;
  let draining = false;
  let stopped = false;
  const connections =
    tcp &&
    createTcpPairs({
      network: tcp.network,
      clock,
      on: {
        message: (message, on, from) => feed({ type: 'message', message, from, ...on }),
        packet: tcp.onPacket,
        ended: (on, to) => feed({ type: 'disconnected', to, ...on }),
      },
    });
  const callers = tcp?.lobby?.onCaller(agent.ufrag, (caller) => connections?.accept(caller));

  function feed(input: IceInput): void {
    if (stopped) return;
    agent.handle(input, clock.now());
    drain();
  }

  /** Carries out outputs until the agent waits. What comes in meanwhile is carried out by the same loop. */
  function drain(): void {
    if (draining) return;
    draining = true;
    try {
      while (!stopped && !carryOut(agent.poll(clock.now())));
    } finally {
      draining = false;
    }
  }

  /** True when the agent waits. */
  function carryOut(output: IceOutput): boolean {
    switch (output.type) {
      case 'transmit':
        if (output.transport === 'tcp') connections?.transmit(output);
        else transmit(output);
        return false;
      case 'settled':
        forget(output.transactionId);
        connections?.settle(output.transactionId);
        return false;
      case 'event':
        if (output.event.type === 'pair.valid') connections?.keep(output.event.pairId);
        if (output.event.type === 'pair.lost') connections?.close(output.event.pairId);
        onEvent(output.event);
        return false;
      case 'wait':
        connections?.tidy();
        sleep(output.until);
        return true;
    }
  }

  function transmit({ base, to, bytes, transactionId, request }: Extract<IceOutput, { type: 'transmit' }>): void {
    const router = routers.find(({ socket }) => isSameSocket(socket.local, base));
    if (router === undefined) return;
    const key = transactionKey(transactionId);
    if (request && !responses.has(key)) {
      const unregister = router.onResponse(transactionId, to, (message, from) =>
        feed({ type: 'message', transport: 'udp', message, from, base: router.socket.local }),
      );
      responses.set(key, unregister);
    }
    router.socket.send(bytes, to);
  }

  function forget(transactionId: Uint8Array): void {
    const key = transactionKey(transactionId);
    responses.get(key)?.();
    responses.delete(key);
  }

  function sleep(until: number | undefined): void {
    clock.clearTimeout(timer);
    timer = until === undefined ? undefined : clock.setTimeout(drain, Math.max(0, until - clock.now()));
  }

  return {
    agent,
    handle: feed,
    sendTcp: (pairId, packet) => connections?.send(pairId, packet) ?? false,
    stop() {
      stopped = true;
      callers?.();
      connections?.stop();
      clock.clearTimeout(timer);
      for (const unregister of [...requests, ...responses.values()]) unregister();
      responses.clear();
    },
  };
}

/** Sockets are bound to all addresses of a family, so a base tells its socket by family and port alone. */
function isSameSocket(local: Endpoint, base: Endpoint): boolean {
  return local.family === base.family && local.port === base.port;
}
