import { simNetwork } from '../../src/adapters/sim/index.ts';
import type { RemoteCandidate } from '../../src/core/candidate.ts';
import { UDP } from '../../src/core/candidate.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket, Network } from '../../src/core/network.ts';
import type { Path } from '../../src/core/path.ts';
import type { Prober } from '../../src/core/strategy.ts';
import { defineStrategy } from '../../src/flows/index.ts';
import { createIceLink } from '../../src/peer/ice-link.ts';
import type { IceLink } from '../../src/peer/ice-link-contract.ts';
import { hostCandidates } from '../../src/peer/local-candidates.ts';
import { createProber } from '../../src/peer/prober.ts';
import { validateAddress } from '../../src/peer/validated-link.ts';
import { createCheckBudget, type IceCredentials } from '../../src/protocol/ice/index.ts';
import { createProbeBudget } from '../../src/protocol/spray/index.ts';
import type { Internet } from '../../src/sim/index.ts';
import { createPacketRouter, type PacketRouter } from '../../src/streams/packet-router.ts';
import { createPathTable, type PathTable } from '../../src/streams/path-table.ts';
import { LEFT, RIGHT } from '../protocol/ice/pair-of-agents.ts';

const { strategy } = defineStrategy({
  name: 'guess',
  gives: 'direct',
  bounds: { time: 1, packets: 1, sockets: 1 },
  run: async () => ({ ok: false, reason: 'it is not run' }),
});

/** The connection id by which packets of the session are known, and one of them. */
const CONNECTION = Buffer.alloc(16, 7);
export const PACKET: Uint8Array = Buffer.concat([Buffer.of(0x40), CONNECTION, Buffer.of(1, 2, 3)]);

export interface ProbingSideOptions {
  readonly theirs?: IceCredentials;
  /** Packets that a run may send on the peer's own socket. */
  readonly packets?: number;
  readonly loopback?: boolean;
}

/** One side of a connection on a host of its own, as far as it probes and validates addresses: with what it has received and lost. */
export class ProbingSide {
  readonly table: PathTable;
  readonly ice: IceLink;
  readonly network: Network;
  /** Packets of the session that came in. */
  readonly received: Uint8Array[] = [];
  readonly lost: string[] = [];
  readonly paths: Path[] = [];
  readonly handedOver: DatagramSocket[] = [];
  readonly told: RemoteCandidate[] = [];
  readonly abort = new AbortController();
  /** Packets of the run that came in on the peer's own socket. */
  heard = 0;
  readonly address: string;
  readonly #router: PacketRouter;
  readonly #services: Parameters<typeof createProber>[0] & Parameters<typeof validateAddress>[0];
  #packets: number;

  constructor(
    world: Internet,
    role: 'dialer' | 'listener',
    main: DatagramSocket,
    network: Network,
    options: ProbingSideOptions,
  ) {
    const { theirs = role === 'dialer' ? RIGHT : LEFT, packets = 1000, loopback = false } = options;
    const { clock } = world;
    const random = world.random.stream(role);
    const credentials = { mine: role === 'dialer' ? LEFT : RIGHT, theirs };
    this.network = network;
    this.#packets = packets;
    this.#router = createPacketRouter(main);
    this.table = createPathTable({
      clock,
      receive: (packet) => void this.#take(packet),
      authenticate: (packet) => this.#take(packet),
      isWaiting: () => true,
      rtt: () => 80,
    });
    this.ice = createIceLink({
      dialer: role === 'dialer',
      byHand: false,
      credentials: () => credentials,
      routers: [this.#router],
      network,
      lobby: undefined,
      clock,
      random,
      loopback,
      budget: createCheckBudget().share('other'),
      on: {
        validated: (path) => {
          this.paths.push(path);
          this.table.add(path);
          this.#router.onPacket(CONNECTION, (packet) => path.receive(packet));
        },
        lost: (id, reason) => this.#lose(id, reason),
        confirmed: () => {},
        doubtful: () => {},
        early: () => {},
      },
    });
    this.#services = {
      role,
      credentials,
      routers: [this.#router],
      probes: createProbeBudget().share('other'),
      env: { clock, random, network, loopback },
      facts: { remote: this.told },
      budget: createCheckBudget().share('other'),
      ice: this.ice,
      link: {
        table: this.table,
        follow: (router, receive) => void router.onPacket(CONNECTION, receive),
        accept: (packets) => void packets.map((packet) => this.#take(packet)),
      },
      losePath: (id, reason) => this.#lose(id, reason),
    };
    const hosts = hostCandidates(network.interfaces(), { ...UDP, local: main.local }, { loopback });
    this.ice.addLocal(hosts);
    this.address = hosts[0]!.endpoint.address;
  }

  /** Where its own socket is. */
  get at(): Endpoint {
    return endpoint(this.address, this.#router.socket.local.port);
  }

  /** Hears of an address of the other side, as candidates tell it. */
  learn(address: string): void {
    const at = endpoint(address, 9);
    this.told.push({ type: 'srflx', endpoint: at, priority: 1, foundation: '1', transport: 'udp' });
  }

  prober(socket?: DatagramSocket): Prober {
    const run = {
      signal: this.abort.signal,
      count: () => this.#packets-- > 0,
      hear: () => void this.heard++,
    };
    return createProber(this.#services, run, socket);
  }

  validate(link: { readonly socket?: DatagramSocket; readonly remote: Endpoint }): Promise<string> {
    const run = {
      strategy,
      signal: this.abort.signal,
      handOver: (socket: DatagramSocket) => void this.handedOver.push(socket),
      adopt: (path: Path) => {
        this.paths.push(path);
        this.table.add(path);
        return path.info.id;
      },
    };
    return validateAddress(this.#services, run as Parameters<typeof validateAddress>[1], link);
  }

  #lose(id: string, reason: string): void {
    if (!this.table.has(id)) return;
    this.lost.push(`${id} ${reason}`);
    this.table.remove(id);
  }

  #take(packet: Uint8Array): boolean {
    this.received.push(packet.slice());
    return true;
  }
}

/** Both sides, 80 ms apart without NATs, each told of the other's address. */
export async function twoSides(
  world: Internet,
  options: ProbingSideOptions = {},
): Promise<readonly [ProbingSide, ProbingSide]> {
  const open = async (name: string, role: 'dialer' | 'listener'): Promise<ProbingSide> => {
    const network = simNetwork(world.host(name));
    return new ProbingSide(world, role, await network.udp({ family: 4 }), network, role === 'dialer' ? options : {});
  };
  const [alice, bob] = await world.clock.runUntil(Promise.all([open('alice', 'dialer'), open('bob', 'listener')]));
  alice!.learn(bob!.address);
  bob!.learn(alice!.address);
  return [alice!, bob!];
}
