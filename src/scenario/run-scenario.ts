import { Deferred } from '../core/deferred.ts';
import { pause } from '../core/pause.ts';
import type { Flow } from '../index.ts';
import { usage } from '../sim/fields.ts';
import { type Internet, internet } from '../sim/internet.ts';
import type { PacketRecord } from '../sim/packet-log.ts';
import { NatWatch } from './nat-watch.ts';
import type { LeftOver, Outcome } from './outcome.ts';
import type { ConnectionNews, PeerNews, RunEvent, RunWatch, WorldNews } from './run-event.ts';
import { DEFAULT_UNTIL, type DialPlan, type PeerPlan, type Scenario } from './scenario.ts';
import { ScenarioDial } from './scenario-dial.ts';
import { ScenarioPeer } from './scenario-peer.ts';
import { readScenario, rendezvousServers } from './scenario-reader.ts';

export interface RunOptions {
  /** Is told what happens, while it does. */
  readonly watch?: RunWatch;
  /** Flows by the names that peers of the scenario have for them: a scenario is data, and flows are not. */
  readonly flows?: Readonly<Record<string, Flow>>;
}

/**
 * Runs a scenario in virtual time: until every dial has settled and was kept for its time, at the latest until `until`; without a dial,
 * until then. All peers are closed at the end. Errors: `ERR_USAGE` with the path of what is wrong in the scenario; those of
 * `createPeer`; what the watch throws first, by which the run ends.
 */
export async function runScenario(scenario: Scenario, { watch, flows = {} }: RunOptions = {}): Promise<Outcome> {
  const read = readScenario(scenario);
  checkFlows(read, flows);
  const world = internet(read.internet);
  const { until = DEFAULT_UNTIL } = read;
  return world.clock.runUntil(new Run(world, read, flows, watch).perform(until), until + CLOSING);
}

function checkFlows({ peers }: Scenario, flows: Readonly<Record<string, Flow>>): void {
  for (const [i, { flow }] of peers.entries()) {
    if (flow !== undefined && !Object.hasOwn(flows, flow))
      throw usage(`peers[${i}].flow`, `the run was given no flow ${flow}`);
  }
}

/** One run of a scenario. */
class Run {
  readonly #world: Internet;
  readonly #scenario: Scenario;
  readonly #flows: Readonly<Record<string, Flow>>;
  readonly #watch: RunWatch | undefined;
  readonly #peers: ReadonlyMap<string, ScenarioPeer>;
  readonly #dials: readonly ScenarioDial[];
  /** By connection id. */
  readonly #dialed = new Map<string, ScenarioDial>();
  /** Packets that each host has sent. */
  readonly #sent = new Map<string, number>();
  /** What the watch threw: it is told nothing any more. */
  #failure: { readonly error: unknown } | undefined;
  readonly #failed = new Deferred();
  readonly #nats: NatWatch | undefined;

  constructor(world: Internet, scenario: Scenario, flows: Readonly<Record<string, Flow>>, watch: RunWatch | undefined) {
    this.#world = world;
    this.#scenario = scenario;
    this.#flows = flows;
    this.#watch = watch;
    this.#nats = watch && new NatWatch(world, (change) => this.#show({ at: world.clock.now(), type: 'nat', change }));
    const servers = rendezvousServers(scenario.internet.hosts);
    this.#peers = new Map(scenario.peers.map((plan) => [plan.name, this.#cast(plan, plan.servers ?? servers)]));
    this.#dials = scenario.dials.map((plan) => this.#assign(plan));
  }

  async perform(until: number): Promise<Outcome> {
    const { clock } = this.#world;
    this.#world.watch((record) => this.#see(record));
    this.#follow();
    const performing = Promise.all([
      ...this.#scenario.peers.map((plan) => this.#start(plan)),
      ...this.#dials.map((dial) => dial.run()),
    ]);
    const end = pause(clock, until);
    try {
      const over = this.#dials.length === 0 ? Promise.all([performing, end]) : Promise.race([performing, end]);
      await Promise.race([over, this.#failed.promise]);
    } finally {
      for (const dial of this.#dials) dial.end();
      await Promise.all([...this.#peers.values()].map((peer) => peer.close()));
    }
    const endedAt = clock.now();
    await pause(clock, FAREWELL);
    if (this.#failure !== undefined) throw this.#failure.error;
    return { dials: this.#dials.map((dial) => dial.outcome()), endedAt, leftOver: this.#leftOver() };
  }

  #cast(plan: PeerPlan, servers: readonly string[]): ScenarioPeer {
    const calls = this.#scenario.dials.filter(({ to }) => to === plan.name);
    return new ScenarioPeer({
      plan,
      host: this.#world.hostNamed(plan.host),
      flow: plan.flow === undefined ? undefined : this.#flows[plan.flow],
      servers,
      dialedBy: new Set(calls.map(({ by = 'ticket' }) => by)),
      tell: (news) => this.#tell({ who: plan.name, ...news }),
      isWatched: this.#watch !== undefined,
    });
  }

  #assign(plan: DialPlan): ScenarioDial {
    return new ScenarioDial({
      plan,
      from: this.#peers.get(plan.from)!,
      to: this.#peers.get(plan.to)!,
      clock: this.#world.clock,
      onDialed: (connection, dial) => this.#dialed.set(connection, dial),
      tell: (news) => this.#tell(news),
      packetsOf: (host) => this.#sent.get(host) ?? 0,
    });
  }

  async #start({ name, startsAt = 0 }: PeerPlan): Promise<void> {
    const callers = this.#scenario.dials.filter(({ to, by }) => to === name && by === 'key');
    const keys = callers.map(({ from }) => this.#peers.get(from)!.identity.publicKey);
    await this.#peers.get(name)!.start(startsAt, keys);
  }

  /** What happens to the internet is told when it has, and kills who runs on a host that is restarted. */
  #follow(): void {
    for (const { at, ...event } of this.#scenario.internet.events ?? []) {
      this.#world.clock.setTimeout(() => {
        this.#tell({ type: 'world', event });
        if (event.type !== 'restart') return;
        for (const peer of this.#peers.values()) if (peer.host.name === event.host) peer.kill();
      }, at);
    }
  }

  #see(record: PacketRecord): void {
    if (record.fate === 'sent') this.#sent.set(record.place, (this.#sent.get(record.place) ?? 0) + 1);
    if (record.fate === 'translated') this.#nats?.touch();
    this.#tell({ type: 'packet', record });
  }

  #tell(news: WorldNews | PeerNews | ConnectionNews): void {
    this.#nats?.look();
    this.#show({ at: this.#world.clock.now(), ...news });
    if ('role' in news) this.#dialed.get(news.connection)?.changed();
  }

  #show(event: RunEvent): void {
    if (this.#failure !== undefined) return;
    try {
      this.#watch?.(event);
    } catch (error) {
      // Whoever is watched is not to be thrown into: the run tells it at its end.
      this.#failure = { error };
      this.#failed.resolve();
    }
  }

  #leftOver(): LeftOver {
    const all = [...this.#peers.values()].map(({ leftOver }) => leftOver);
    const sum = (what: keyof LeftOver): number => all.reduce((count, one) => count + one[what], 0);
    return { timers: sum('timers'), sockets: sum('sockets') };
  }
}

/** ms in which what closed peers still say to their servers is said. */
const FAREWELL = 2_000;
/** ms for all peers to close. */
const CLOSING = 60_000;
