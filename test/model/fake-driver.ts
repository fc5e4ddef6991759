import { defaultFlow } from '../../src/index.ts';
import {
  createTraversalModel,
  type Driver,
  type ModelEvent,
  type ModelSnapshot,
  type Observation,
  type Remains,
  type SideObservation,
  type TraversalModel,
  type World,
} from '../../src/testing/index.ts';

export interface FakeDriverOptions {
  /** What is seen otherwise than a faultless pair would show it, after these events. */
  readonly flaw?: (events: readonly ModelEvent[]) => Partial<Observation> | undefined;
  readonly remains?: Partial<Remains>;
}

/** A pair that is not there: it shows what the model says, but for the flaw that was planted. */
export function fakeDriver({ flaw = () => undefined, remains }: FakeDriverOptions = {}): Driver & {
  readonly worlds: FakeWorld[];
} {
  const worlds: FakeWorld[] = [];
  const driver: Driver = {
    name: 'fake',
    code: 'fakeDriver()',
    prospects: () => ({ direct: 'sure', withoutUdp: 'impossible' }),
    cannot: {},
    bounds: { traversing: 30_000, recovering: 120_000, rest: 200_000 },
    async start({ seed }) {
      const world = new FakeWorld(createTraversalModel(defaultFlow, driver), flaw, remains, seed);
      worlds.push(world);
      return world;
    },
  };
  return { ...driver, worlds };
}

export class FakeWorld implements World {
  readonly seed: number;
  readonly events: ModelEvent[] = [];
  ended = 0;
  readonly #model: TraversalModel;
  readonly #flaw: NonNullable<FakeDriverOptions['flaw']>;
  readonly #remains: Partial<Remains> | undefined;
  #snapshot: ModelSnapshot;
  #now = 0;
  #since = 0;

  constructor(
    model: TraversalModel,
    flaw: NonNullable<FakeDriverOptions['flaw']>,
    remains: Partial<Remains> | undefined,
    seed: number,
  ) {
    this.#model = model;
    this.#flaw = flaw;
    this.#remains = remains;
    this.#snapshot = model.initial();
    this.seed = seed;
  }

  async perform(event: ModelEvent): Promise<void> {
    this.events.push(event);
    this.#snapshot = this.#model.next(this.#snapshot, event);
    this.#since = this.#now;
  }

  /** Whatever is under way has come to its end a second after the last event. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    const isMoving = this.#snapshot.matches('traversing') || this.#snapshot.matches('recovering');
    if (isMoving && this.#now - this.#since >= 1_000) {
      this.#snapshot = this.#model.next(this.#snapshot, { type: 'time.passed' });
      this.#since = this.#now;
    }
  }

  observe(): Observation {
    const sees = this.#model.sees(this.#snapshot);
    const side = (name: 'dialer' | 'listener'): SideObservation => ({
      // Of two things that may come of it, this pair knows one.
      sight: this.#snapshot.matches('unsure') ? 'failed' : sees[name][0]!,
      since: this.#since,
      established: this.#snapshot.matches('connected') ? 1 : 0,
      sent: 0,
    });
    return { at: this.#now, dialer: side('dialer'), listener: side('listener'), ...this.#flaw(this.events) };
  }

  async end(): Promise<Remains> {
    this.ended++;
    return { timers: 0, sockets: 0, subscriptions: 0, ...this.#remains };
  }
}

/** What a side shows that is faultless. */
export function side(sight: SideObservation['sight'], more: Partial<SideObservation> = {}): SideObservation {
  return { sight, since: 0, established: 1, sent: 0, ...more };
}
