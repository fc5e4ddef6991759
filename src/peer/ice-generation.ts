import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Network } from '../core/network.ts';
import type { IceAgent, IceEvent, IceInput } from '../protocol/ice/index.ts';
import { createDirectPath, type DirectPath } from '../streams/direct-path.ts';
import { createIcePump, type IcePump } from '../streams/ice-pump.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import { createTcpTurn, type TcpTurn } from './tcp-turn.ts';

export interface IceGenerationOptions {
  /** Counts the generations; part of the path ids. */
  readonly number: number;
  readonly agent: IceAgent;
  readonly routers: readonly PacketRouter[];
  readonly network: Pick<Network, 'connect'>;
  /** Where TCP connections to us come in. */
  readonly lobby: TcpLobby | undefined;
  readonly clock: Clock;
  /** Name of the strategy that a path to this address is owed to. */
  readonly strategyOf: (remote: Endpoint) => string;
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
  /** A check came from an address that was not known; it has proven the password. */
  heard(from: Endpoint): void;
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
  return new PumpedGeneration(options);
}

class PumpedGeneration implements IceGeneration {
  readonly agent: IceAgent;
  readonly #number: number;
  readonly #routers: readonly PacketRouter[];
  readonly #strategyOf: (remote: Endpoint) => string;
  readonly #on: IceGenerationEvents;
  /** Valid pairs by pair id. */
  readonly #paths = new Map<string, DirectPath>();
  readonly #pump: IcePump;
  readonly #tcpTurn: TcpTurn;
  #nominated = false;

  constructor({ number, agent, routers, network, lobby, clock, strategyOf, on }: IceGenerationOptions) {
    this.agent = agent;
    this.#number = number;
    this.#routers = routers;
    this.#strategyOf = strategyOf;
    this.#on = on;
    this.#pump = createIcePump({
      agent,
      clock,
      routers,
      tcp: {
        network,
        ...(lobby !== undefined && { lobby }),
        onPacket: (packet, pairId) => this.#receive(packet, pairId),
      },
      onEvent: (event) => this.#handleEvent(event),
    });
    this.#tcpTurn = createTcpTurn({
      clock,
      handle: (input) => this.#pump.handle(input),
      isNeeded: () => !this.paths.some(({ info }) => info.transport === 'udp'),
    });
  }

  get paths(): readonly DirectPath[] {
    return [...this.#paths.values()];
  }

  get isNominated(): boolean {
    return this.#nominated;
  }

  handle(input: Parameters<IceGeneration['handle']>[0]): void {
    if (input.type === 'local-candidate') this.#tcpTurn.addLocal(input.candidate);
    else if (input.type === 'end-of-candidates' && input.side === 'local') this.#tcpTurn.endLocal();
    else {
      this.#tcpTurn.begin();
      this.#pump.handle(input);
    }
  }

  check(): void {
    for (const pairId of [...this.#paths.keys()]) this.#pump.handle({ type: 'check', pairId });
  }

  use(pathId: string | undefined): void {
    const pairId = this.#pairOf(pathId);
    this.#pump.handle({ type: 'use', pairIds: pairId === undefined ? [] : [pairId] });
  }

  nominate(pathId: string): void {
    const pairId = this.#pairOf(pathId);
    if (pairId !== undefined) this.#pump.handle({ type: 'nominate', pairId });
  }

  stop(): void {
    this.#tcpTurn.stop();
    this.#pump.stop();
    this.#paths.clear();
  }

  #handleEvent(event: IceEvent): void {
    switch (event.type) {
      case 'pair.valid':
        this.#validate(event);
        break;
      case 'pair.lost': {
        const path = this.#paths.get(event.pairId);
        this.#paths.delete(event.pairId);
        if (path !== undefined) this.#on.lost(path, event.reason);
        break;
      }
      case 'pair.confirmed': {
        const path = this.#paths.get(event.pairId);
        if (path !== undefined) this.#on.confirmed(path);
        break;
      }
      case 'pair.doubtful': {
        const path = this.#paths.get(event.pairId);
        if (path !== undefined) this.#on.doubtful(path);
        break;
      }
      case 'pair.nominated':
        this.#nominated = true;
        break;
      case 'checks.exhausted':
        this.#on.exhausted(event.reason);
        break;
      case 'candidate.peer-reflexive':
        if (event.side === 'remote') this.#on.heard(event.candidate.endpoint);
    }
  }

  #validate({ pairId, local, remote, rtt }: Extract<IceEvent, { type: 'pair.valid' }>): void {
    if (this.#paths.has(pairId)) return;
    const { transport } = remote;
    const router = this.#routers.find(({ socket }) => socket.local.family === remote.endpoint.family);
    const path = createDirectPath({
      id: `${transport}/${this.#number}/${pairId}`,
      transport,
      send: (packet) =>
        transport === 'tcp'
          ? this.#pump.sendTcp(pairId, packet)
          : (router?.socket.send(packet, remote.endpoint) ?? false),
      local: local.endpoint,
      remote: remote.endpoint,
      strategy: this.#strategyOf(remote.endpoint),
      // The first check over TCP also waited for its connection.
      ...(transport === 'udp' && { rtt }),
    });
    this.#paths.set(pairId, path);
    this.#on.validated(path, remote.priority + local.priority);
  }

  #pairOf(pathId: string | undefined): string | undefined {
    return [...this.#paths].find(([, path]) => path.info.id === pathId)?.[0];
  }

  #receive(packet: Uint8Array, pairId: string): void {
    const path = this.#paths.get(pairId);
    if (path === undefined) this.#on.early(packet);
    else path.receive(packet);
  }
}
