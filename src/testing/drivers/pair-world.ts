import type { Clock } from '../../core/clock.ts';
import type { Remains, World } from '../model/driver.ts';
import type { ModelEvent } from '../model/model-event.ts';
import type { Observation, Side } from '../model/sight.ts';
import type { PairProgram } from './pair-program.ts';

/** What the two worlds in one process do each in their own way. */
export interface PairScene {
  readonly clock: Pick<Clock, 'now'>;
  /** A program of that side, not started yet; the listener may come to be run twice. */
  program(side: Side): PairProgram;
  /** Waits for a promise, and lets time pass meanwhile where it would stand still. */
  settle<T>(promise: Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  loseServer(): Promise<void>;
  returnServer(): Promise<void>;
  rebind(side: Side, program: PairProgram): Promise<void>;
  roam(side: Side): Promise<void>;
  reboot(side: Side): Promise<void>;
  /** The program of that side was killed. */
  killed(side: Side): void;
  close(): Promise<void>;
}

/** A pair of peers in this process. */
export class PairWorld implements World {
  readonly #scene: PairScene;
  readonly #startedAt: number;
  readonly #programs: Record<Side, PairProgram>;
  readonly #faults = { blocked: false, loss: 0, delay: 0 };
  /** Programs with the listener's key that it knows nothing of. */
  readonly #strangers: PairProgram[] = [];
  #ticket = '';

  private constructor(scene: PairScene) {
    this.#scene = scene;
    this.#startedAt = scene.clock.now();
    this.#programs = { dialer: scene.program('dialer'), listener: scene.program('listener') };
  }

  /** Opens both peers. Errors: those of `createPeer` and `createTicket`. */
  static async open(scene: PairScene): Promise<PairWorld> {
    const world = new PairWorld(scene);
    const { dialer, listener } = world.#programs;
    try {
      await scene.settle(Promise.all([dialer.start(), listener.start()]));
      world.#ticket = await scene.settle(listener.createTicket());
      await scene.pass(WARM_UP);
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  async perform(event: ModelEvent): Promise<void> {
    const { dialer, listener } = this.#programs;
    switch (event.type) {
      case 'dialed':
        return dialer.dial(this.#ticket);
      case 'closed':
        return this.#programs[event.side].hangUp();
      case 'aborted':
        return dialer.abort();
      case 'udp.blocked':
      case 'udp.unblocked':
        this.#faults.blocked = event.type === 'udp.blocked';
        return this.#spoil();
      case 'link.lossy':
      case 'link.clean':
        this.#faults.loss = event.type === 'link.lossy' ? LOSS : 0;
        return this.#spoil();
      case 'signaling.delayed':
      case 'signaling.prompt':
        this.#faults.delay = event.type === 'signaling.delayed' ? DELAY : 0;
        return this.#spoil();
      case 'listener.ended':
        listener.kill();
        return this.#scene.killed('listener');
      case 'listener.returned':
        return this.#returnListener(event.ports);
      case 'server.lost':
        return this.#scene.settle(this.#scene.loseServer());
      case 'server.returned':
        return this.#scene.settle(this.#scene.returnServer());
      case 'nat.rebound':
        return this.#scene.settle(this.#scene.rebind(event.side, this.#programs[event.side]));
      case 'roamed':
        return this.#scene.settle(this.#scene.roam(event.side));
      case 'router.rebooted':
        return this.#scene.settle(this.#scene.reboot(event.side));
      case 'listener.replaced':
        return this.#replaceListener();
      case 'session.broke':
        return this.#programs[event.side].breakSession();
      case 'actor.broke':
        return this.#programs[event.side].breakActor(event.actor);
      case 'time.passed':
        return;
    }
  }

  pass(ms: number): Promise<void> {
    return this.#scene.pass(ms);
  }

  observe(): Observation {
    const { dialer, listener } = this.#programs;
    return {
      at: this.#scene.clock.now() - this.#startedAt,
      dialer: dialer.observe(this.#startedAt),
      listener: listener.observe(this.#startedAt),
      waiting: dialer.talk.waiting,
      broken: dialer.talk.failure,
    };
  }

  async end(): Promise<Remains> {
    const programs = [...Object.values(this.#programs), ...this.#strangers];
    await this.#scene.settle(Promise.all(programs.map((program) => program.close())));
    await this.#scene.pass(FAREWELL);
    const all = programs.map(({ remains }) => remains);
    await this.#scene.close();
    return {
      timers: total(all, 'timers'),
      sockets: total(all, 'sockets'),
      subscriptions: total(all, 'subscriptions'),
    };
  }

  async #returnListener(ports: 'same' | undefined): Promise<void> {
    const program = this.#scene.program('listener');
    program.succeed(this.#programs.listener, ports);
    this.#programs.listener = program;
    this.#spoil();
    await this.#scene.settle(program.start());
    program.register();
  }

  /** Somebody has the listener's key as well, and comes later. */
  async #replaceListener(): Promise<void> {
    const stranger = this.#scene.program('listener');
    this.#strangers.push(stranger);
    await this.#scene.settle(stranger.start());
    stranger.register();
  }

  #spoil(): void {
    const { blocked, loss, delay } = this.#faults;
    for (const { network, signalingFaults } of Object.values(this.#programs)) {
      Object.assign(network.faults, { blocked, loss });
      signalingFaults.delay = delay;
    }
  }
}

function total(all: readonly Remains[], what: keyof Remains): number {
  return all.reduce((sum, one) => sum + one[what], 0);
}

/** ms in which both sides come to know their own addresses. */
const WARM_UP = 2_000;
/** ms in which what closed peers still say to their servers is said. */
const FAREWELL = 2_000;
/** Share of all datagrams, at each end; so more than a fifth of them between two ends. */
const LOSS = 0.12;
/** ms. */
const DELAY = 1_500;
