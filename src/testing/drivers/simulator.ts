import { simIdentity } from '../../adapters/sim/identity.ts';
import { simNetwork } from '../../adapters/sim/network.ts';
import type { ScoresJson } from '../../index.ts';
import { type HomesOptions, homes, simEnvironment } from '../../scenario/index.ts';
import { rendezvousServers } from '../../scenario/scenario-reader.ts';
import { Fields } from '../../sim/fields.ts';
import {
  type ForecastOptions,
  forecast,
  type Host,
  type Internet,
  internet,
  type NetworkPlan,
  type ServiceSpec,
} from '../../sim/index.ts';
import { INTERNET, type InternetPlan } from '../../sim/plan.ts';
import { recordPeers } from '../../trace/index.ts';
import type { Driver, WorldSetup } from '../model/driver.ts';
import { literal } from '../model/model-failure.ts';
import { prospectsOf } from '../model/prospects.ts';
import type { Side } from '../model/sight.ts';
import { PairProgram } from './pair-program.ts';
import { type PairScene, PairWorld } from './pair-world.ts';

export interface SimulatorDriverOptions extends Omit<HomesOptions, 'seed' | 'flow'> {
  /** Whether the server lends addresses as well, by TURN. Default false. */
  readonly turn?: boolean;
  /** What the strategies of both sides are ordered by, to begin with. Default: nothing, and no scores are kept. */
  readonly scores?: ScoresJson;
}

/**
 * A pair on the simulated internet, in virtual time: the dialer behind `a`, the listener behind `b`, as in `homes()`, and for each side a
 * second place of the same kind to roam to. The same seed gives the same run. Errors: `ERR_USAGE` for what is no site.
 */
export function simulatorDriver(options: SimulatorDriverOptions): Driver {
  const { turn = false, mapping = true, scores, ...sites } = checked(options);
  const { internet: home } = homes(sites);
  const plan = turn ? withTurn(home) : home;
  const [asking, notAsking] = [mapping, false].map((mapping) =>
    forecast(plan, HOSTS.dialer, HOSTS.listener, { mapping }),
  );
  const oracle = ({ mapping: isAsked = true }: ForecastOptions) => (isAsked ? asking! : notAsking!);
  return {
    name: 'simulator',
    prospects: (flow) => prospectsOf(oracle, flow),
    cannot: {},
    code: `simulatorDriver(${literal(options)})`,
    bounds: BOUNDS,
    start: (setup) => PairWorld.open(new SimulatedScene(plan, { mapping, turn, scores }, setup)),
  };
}

/** Errors: `ERR_USAGE`. */
function checked(options: SimulatorDriverOptions): SimulatorDriverOptions {
  const fields = new Fields(options, 'options', ['a', 'b', 'shared', 'link', 'mapping', 'turn', 'scores']);
  for (const side of ['a', 'b']) fields.required(side, fields.raw(side));
  for (const name of ['mapping', 'turn']) fields.boolean(name);
  return options;
}

/** The simulated internet of one run. */
class SimulatedScene implements PairScene {
  readonly #world: Internet;
  readonly #setup: WorldSetup;
  readonly #options: Pick<SimulatorDriverOptions, 'mapping' | 'turn' | 'scores'>;
  readonly #servers: readonly string[];
  readonly #trace;
  /** Where each side is. */
  readonly #places: Record<Side, string>;

  constructor(
    plan: InternetPlan,
    options: Pick<SimulatorDriverOptions, 'mapping' | 'turn' | 'scores'>,
    setup: WorldSetup,
  ) {
    this.#world = internet({ ...plan, seed: setup.seed, networks: withSecondPlaces(plan.networks ?? []) });
    this.#setup = setup;
    this.#options = options;
    this.#servers = rendezvousServers(plan.hosts);
    this.#trace = setup.trace && recordPeers(setup.trace, this.#world.clock);
    this.#places = { dialer: this.#home('dialer', plan), listener: this.#home('listener', plan) };
  }

  get clock() {
    return this.#world.clock;
  }

  program(side: Side): PairProgram {
    const host = this.#host(side);
    const recorder = this.#trace?.peer(side);
    const { flow, inspect } = this.#setup;
    const { mapping, turn, scores } = this.#options;
    const servers = { servers: this.#servers, turn: turn ? TURN_SERVERS : [] };
    return new PairProgram({
      flow,
      identity: simIdentity(host.random.stream(`identity ${side}`)),
      clock: host.clock,
      network: simNetwork(host),
      random: host.random.stream(`losses ${side}`),
      environment: (parts) => simEnvironment(host, { ...servers, mapping, ...parts }),
      scores,
      inspect,
      recorder,
    });
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.runUntil(promise);
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  async loseServer(): Promise<void> {
    this.#world.hostNamed(SERVER).stop();
  }

  async returnServer(): Promise<void> {
    this.#world.hostNamed(SERVER).start();
  }

  async rebind(side: Side, program: PairProgram): Promise<void> {
    const chain = this.#chain(this.#places[side]).filter(({ translator }) => translator !== undefined);
    for (const { name } of chain) this.#world.happen({ type: 'rebind', network: name });
    if (chain.length === 0) await program.network.rebind();
  }

  async roam(side: Side): Promise<void> {
    const from = this.#places[side];
    const to = from === INTERNET ? INTERNET : elsewhere(from);
    this.#world.happen({ type: 'roam', host: HOSTS[side], from, to });
    this.#places[side] = to;
  }

  async reboot(side: Side): Promise<void> {
    const chain = this.#chain(this.#places[side]);
    for (const { name } of chain) this.#world.happen({ type: 'reboot', network: name, downFor: REBOOT });
  }

  killed(side: Side): void {
    this.#world.happen({ type: 'restart', host: HOSTS[side] });
  }

  async close(): Promise<void> {
    this.#trace?.end();
  }

  #host(side: Side): Host {
    return this.#world.hostNamed(HOSTS[side]);
  }

  #home(side: Side, { hosts = [] }: InternetPlan): string {
    return hosts.find(({ name }) => name === HOSTS[side])!.interfaces[0]!.network;
  }

  /** The networks around a place, the innermost first. */
  #chain(place: string) {
    const plans = this.#world.plan.networks ?? [];
    const chain = [];
    for (let name = place; name !== INTERNET; ) {
      chain.push(this.#world.networkNamed(name));
      name = plans.find((plan) => plan.name === name)?.above ?? INTERNET;
    }
    return chain;
  }
}

function withTurn({ hosts = [], ...plan }: InternetPlan): InternetPlan {
  const servers = hosts.map((host) =>
    host.name === SERVER ? { ...host, services: [...(host.services ?? []), TURN_SERVICE] } : host,
  );
  return { ...plan, hosts: servers };
}

/** Each network of a side alone is there twice. Where hosts have addresses of their own behind a NAT, the second has others. */
function withSecondPlaces(networks: readonly NetworkPlan[]): readonly NetworkPlan[] {
  const isOwn = ({ name }: Pick<NetworkPlan, 'name'>): boolean => OWN.test(name);
  const seconds = networks.filter(isOwn).map((network) => {
    const { above, name, nat, ipv4 } = network;
    const isAboveOwn = above !== undefined && isOwn({ name: above });
    return {
      ...network,
      name: elsewhere(name),
      above: isAboveOwn ? elsewhere(above) : above,
      ipv4: nat !== undefined && HOME.test(name) ? AWAY_ADDRESSES : ipv4,
    };
  });
  return [...networks, ...seconds];
}

/** The name of the other place of the same kind. */
function elsewhere(place: string): string {
  return place.endsWith(AWAY) ? place.slice(0, -AWAY.length) : `${place}${AWAY}`;
}

/** Names as `homes()` gives them. */
const HOSTS: Readonly<Record<Side, string>> = { dialer: 'a', listener: 'b' };
const SERVER = 'server';
const OWN = /^[ab]-/;
const HOME = /^[ab]-home$/;
const AWAY = ' away';
const AWAY_ADDRESSES = '192.168.77.0/24';

/** On a port that every network lets out. */
const TURN_SERVICE: ServiceSpec = { type: 'turn', port: 80, users: { sallyport: 'test' } };
const TURN_SERVERS = ['udp', 'tcp'].map((transport) => `turn:sallyport:test@${SERVER}:80?transport=${transport}`);

/** ms for which a router is off. */
const REBOOT = 3_000;

/** ms: those of the connection chart with a margin; at rest also after 30 of consent, and 35 until a silent server is noticed. */
const BOUNDS = { traversing: 31_000, recovering: 121_000, rest: 240_000 };
