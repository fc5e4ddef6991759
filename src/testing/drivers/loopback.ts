import { cryptoRandom } from '../../adapters/node/random.ts';
import { pause } from '../../core/pause.ts';
import { type ConnectionDelays, type Flow, type Identity, silentLog, TraversalError } from '../../index.ts';
import {
  createIdentity,
  nodeEnvironment,
  nodeNetwork,
  type RunningServer,
  startServer,
  systemClock,
} from '../../node.ts';
import { type RealTrace, recordPeers } from '../../trace/index.ts';
import type { Driver, WorldSetup } from '../model/driver.ts';
import type { Prospects } from '../model/prospects.ts';
import type { Side } from '../model/sight.ts';
import { PairProgram } from './pair-program.ts';
import { type PairScene, PairWorld } from './pair-world.ts';

/**
 * A pair on this machine: real sockets on 127.0.0.1, real time, QUIC sessions, and a rendezvous server of its own. Faults are made at the
 * sockets of the peers. Connections give up sooner than they do by default, so that a run takes seconds; only a black hole takes the
 * half minute that consent has (RFC 7675).
 */
export function loopbackDriver(): Driver {
  return {
    name: 'loopback',
    code: 'loopbackDriver()',
    prospects: prospectsOnLoopback,
    cannot: {
      roamed: 'this machine has no other network',
      'router.rebooted': 'there is no router on the way',
      'signaling.delayed': 'a delay that matters takes longer than a dial may',
      'signaling.prompt': 'signalling is never delayed',
    },
    bounds: BOUNDS,
    async start(setup) {
      const server = await startServer({ port: 0, stunPort: 0 });
      return PairWorld.open(new LoopbackScene(server, setup));
    },
  };
}

/** Nothing is between the two: checks find a path, by UDP as by TCP, and what else a flow may try may as well. */
function prospectsOnLoopback({ strategies }: Pick<Flow, 'strategies'>): Prospects {
  const chance = strategies.some(({ name }) => name === 'checks') ? 'sure' : 'possible';
  return { direct: chance, withoutUdp: chance };
}

class LoopbackScene implements PairScene {
  readonly clock = systemClock();
  readonly #setup: WorldSetup;
  readonly #url: string;
  readonly #stunPort: number;
  readonly #identities: Readonly<Record<Side, Identity>> = { dialer: createIdentity(), listener: createIdentity() };
  readonly #trace: RealTrace | undefined;
  #server: RunningServer | undefined;

  constructor(server: RunningServer, setup: WorldSetup) {
    this.#server = server;
    this.#setup = setup;
    this.#url = server.url;
    this.#stunPort = server.stun[0]!.port;
    this.#trace = setup.trace && recordPeers(setup.trace, this.clock);
  }

  program(side: Side): PairProgram {
    const { flow, inspect } = this.#setup;
    return new PairProgram({
      flow,
      identity: this.#identities[side],
      clock: this.clock,
      network: nodeNetwork(),
      random: cryptoRandom(),
      environment: () => nodeEnvironment({ servers: [this.#url], log: silentLog }),
      delays: DELAYS,
      inspect,
      recorder: this.#trace?.peer(side),
    });
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }

  pass(ms: number): Promise<void> {
    return pause(this.clock, ms);
  }

  async loseServer(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async returnServer(): Promise<void> {
    this.#server = await startServer({ port: Number(new URL(this.#url).port), stunPort: this.#stunPort });
  }

  rebind(_side: Side, program: PairProgram): Promise<void> {
    return program.network.rebind();
  }

  async roam(): Promise<void> {
    throw new TraversalError('ERR_NOT_AVAILABLE', 'this machine has no other network');
  }

  async reboot(): Promise<void> {
    throw new TraversalError('ERR_NOT_AVAILABLE', 'there is no router on the way');
  }

  /** What the program had open is closed; there is nothing else. */
  killed(): void {}

  async close(): Promise<void> {
    await this.loseServer();
    this.#trace?.end();
  }
}

/** ms. */
const DELAYS: Partial<ConnectionDelays> = { traversing: 8_000, recovering: 10_000 };
/** ms: the same with a margin; at rest also after 30 of consent. */
const BOUNDS = { traversing: 9_000, recovering: 11_000, rest: 60_000 };
