import type { Clock } from '../core/clock.ts';
import type { Network } from '../core/network.ts';
import type { IceAgent, IceEvent, IceInput } from '../protocol/ice/index.ts';
import { createDirectPath, type DirectPath } from '../streams/direct-path.ts';
import { createIcePump } from '../streams/ice-pump.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import { createTcpTurn } from './tcp-turn.ts';

export interface IceGenerationOptions {
  /** Counts the generations; part of the path ids. */
  readonly number: number;
  readonly agent: IceAgent;
  readonly routers: readonly PacketRouter[];
  readonly network: Pick<Network, 'connect'>;
  /** Where TCP connections to us come in. */
  readonly lobby: TcpLobby | undefined;
  readonly clock: Clock;
  readonly on: IceGenerationEvents;
}

export interface IceGenerationEvents {
  /** `preference`: the higher the better, among paths of any generation. */
  validated(path: DirectPath, preference: number): void;
  lost(path: DirectPath, reason: string): void;
  /** A check of the path was answered. */
  confirmed(path: DirectPath): void;
  /** Several checks of the path in a row were not. */
  doubtful(path: DirectPath): void;
  /** A packet of the session came in over TCP before its path was validated; valid during the call only. */
  early(packet: Uint8Array): void;
  exhausted(reason: string): void;
}

/** One generation of ICE credentials: an agent on the peer's sockets, and the paths that it has validated. */
export interface IceGeneration {
  /** Those that are valid now. */
  readonly paths: readonly DirectPath[];
  /** A pair of it has been nominated. */
  readonly isNominated: boolean;
  readonly agent: IceAgent;
  handle(input: Extract<IceInput, { type: 'local-candidate' | 'remote-candidate' | 'end-of-candidates' }>): void;
  /** Asks for consent on every path at once. */
  check(): void;
  /** The path that carries data; one of another generation leaves all of this one on standby. */
  use(pathId: string | undefined): void;
  /** Nominates the pair of a path; ignored where it is not for this side to do, or no longer valid. */
  nominate(pathId: string): void;
  /** Takes the agent off the sockets. Its paths end without a word. */
  stop(): void;
}

export function createIceGeneration(options: IceGenerationOptions): IceGeneration {
  const { number, agent, routers, network, lobby, clock, on } = options;
  /** Valid pairs by pair id. */
  const paths = new Map<string, DirectPath>();
  let nominated = false;

  const handleEvent = (event: IceEvent): void => {
    switch (event.type) {
      case 'pair.valid':
        validate(event);
        break;
      case 'pair.lost': {
        const path = paths.get(event.pairId);
        paths.delete(event.pairId);
        if (path !== undefined) on.lost(path, event.reason);
        break;
      }
      case 'pair.confirmed': {
        const path = paths.get(event.pairId);
        if (path !== undefined) on.confirmed(path);
        break;
      }
      case 'pair.doubtful': {
        const path = paths.get(event.pairId);
        if (path !== undefined) on.doubtful(path);
        break;
      }
      case 'pair.nominated':
        nominated = true;
        break;
      case 'checks.exhausted':
        on.exhausted(event.reason);
    }
  };

  const validate = ({ pairId, local, remote, rtt }: Extract<IceEvent, { type: 'pair.valid' }>): void => {
    if (paths.has(pairId)) return;
    const { transport } = remote;
    const router = routers.find(({ socket }) => socket.local.family === remote.endpoint.family);
    const path = createDirectPath({
      id: `${transport}/${number}/${pairId}`,
      transport,
      send: (packet) =>
        transport === 'tcp' ? pump.sendTcp(pairId, packet) : (router?.socket.send(packet, remote.endpoint) ?? false),
      local: local.endpoint,
      remote: remote.endpoint,
      strategy: 'checks',
      // The first check over TCP also waited for its connection.
      ...(transport === 'udp' && { rtt }),
    });
    paths.set(pairId, path);
    on.validated(path, remote.priority + local.priority);
  };

  const pairOf = (pathId: string | undefined): string | undefined =>
    [...paths].find(([, path]) => path.info.id === pathId)?.[0];

  const receive = (packet: Uint8Array, pairId: string): void => {
    const path = paths.get(pairId);
    if (path === undefined) on.early(packet);
    else path.receive(packet);
  };

  const pump = createIcePump({
    agent,
    clock,
    routers,
    tcp: { network, ...(lobby !== undefined && { lobby }), onPacket: receive },
    onEvent: handleEvent,
  });

  const tcpTurn = createTcpTurn({
    clock,
    handle: (input) => pump.handle(input),
    isNeeded: () => ![...paths.values()].some(({ info }) => info.transport === 'udp'),
  });

  return {
    get paths() {
      return [...paths.values()];
    },
    get isNominated() {
      return nominated;
    },
    agent,
    handle(input) {
      if (input.type === 'local-candidate') tcpTurn.addLocal(input.candidate);
      else if (input.type === 'end-of-candidates' && input.side === 'local') tcpTurn.endLocal();
      else {
        tcpTurn.begin();
        pump.handle(input);
      }
    },
    check() {
      for (const pairId of [...paths.keys()]) pump.handle({ type: 'check', pairId });
    },
    use(pathId) {
      const pairId = pairOf(pathId);
      pump.handle({ type: 'use', pairIds: pairId === undefined ? [] : [pairId] });
    },
    nominate(pathId) {
      const pairId = pairOf(pathId);
      if (pairId !== undefined) pump.handle({ type: 'nominate', pairId });
    },
    stop() {
      tcpTurn.stop();
      pump.stop();
      paths.clear();
    },
  };
}
