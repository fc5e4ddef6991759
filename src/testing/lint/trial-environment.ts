import { Subject } from 'rxjs';
import type { Clock } from '../../core/clock.ts';
import { type Endpoint, endpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import type { Path } from '../../core/path.ts';
import { pause } from '../../core/pause.ts';
import type { Mapping, MappingRequest, MappingVia } from '../../core/port-mapper.ts';
import type { Random } from '../../core/random.ts';
import type { Relay, RelayedSocket } from '../../core/relay.ts';
import type {
  Agreement,
  CandidateEnvironment,
  Facts,
  Json,
  MappingEnvironment,
  PathEnvironment,
  Prober,
  UnprovenLink,
} from '../../core/strategy.ts';
import type { ScopedNetwork } from '../../flows/index.ts';
import { trialRelay } from './trial-relay.ts';

export interface TrialWorld {
  readonly network: ScopedNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly facts: Facts;
  /** Whether all that is asked for is had after a moment, or nothing ever is. */
  readonly isLucky: boolean;
}

/** What strategies of every kind are given in a trial. It keeps what becomes the connection's, and counts the paths. */
export class TrialEnvironment implements CandidateEnvironment, MappingEnvironment, PathEnvironment {
  readonly network: ScopedNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly facts: Facts;
  readonly log = silentLog;
  readonly stun = ['192.0.2.1:3478'];
  readonly authenticated = Promise.resolve();
  readonly request: MappingRequest = { protocol: 'udp', internalPort: 4_000 };
  readonly relays: readonly Relay[];
  /** Ids of paths that the strategy itself made. */
  readonly made: string[] = [];
  /** Whether it made one when it was not wanted any more. */
  madeLate = false;
  readonly #isLucky: boolean;
  /** What the connection closes at its end. */
  readonly #kept: { close(): void }[] = [];

  constructor({ network, clock, random, signal, facts, isLucky }: TrialWorld) {
    this.network = network;
    this.clock = clock;
    this.random = random;
    this.signal = signal;
    this.facts = facts;
    this.#isLucky = isLucky;
    this.relays = [trialRelay((socket) => this.#answer(socket, 'ERR_RELAY_UNREACHABLE'))];
  }

  interfaces(): void {}

  announce(): void {}

  reflexive(): Promise<void> {
    return this.#answer(undefined, 'ERR_STUN_TIMEOUT');
  }

  mapper(via: MappingVia): { map(): Promise<Mapping> } {
    return { map: () => this.#answer({ ...MAPPING, via }, 'ERR_MAPPING_UNAVAILABLE') };
  }

  checks(): Promise<string> {
    return this.#answer('checks', 'ERR_PUNCH_EXHAUSTED');
  }

  relay(): Promise<string> {
    return this.#answer('relay', 'ERR_NOT_AVAILABLE');
  }

  /** The other side says what this one does. */
  agree(params: Json = null): Promise<Agreement> {
    return this.#answer({ params, vouched: true, crossing: 20 }, 'ERR_TIMEOUT');
  }

  mayAim(): boolean {
    return true;
  }

  prober(): Prober {
    const heard$ = new Subject<Endpoint>();
    this.signal.addEventListener('abort', () => heard$.complete());
    const hear = (to: Endpoint): void => {
      if (this.#isLucky) this.clock.setTimeout(() => heard$.next(to), ANSWER);
    };
    return {
      heard$,
      send: (to) => {
        hear(to);
        return !this.signal.aborted;
      },
    };
  }

  async validate(link: UnprovenLink): Promise<string> {
    const id = await this.#answer('validated', 'ERR_PUNCH_EXHAUSTED');
    if ('stream' in link) {
      this.network.handOver(link.stream);
      this.#keep({ close: () => link.stream.destroy() });
    } else if (link.socket !== undefined) {
      this.network.handOver(link.socket);
      this.#keep(link.socket);
    }
    return this.#note(id);
  }

  async relayed(socket: RelayedSocket): Promise<string> {
    this.#keep(socket);
    return this.#note(await this.#answer('relayed', 'ERR_PUNCH_EXHAUSTED'));
  }

  adopt(path: Path): string {
    if (this.signal.aborted) this.madeLate = true;
    this.signal.throwIfAborted();
    this.#keep(path);
    return this.#note(path.info.id);
  }

  /** The connection ends. */
  close(): void {
    for (const one of this.#kept) one.close();
  }

  toJSON(): string {
    return 'env';
  }

  #keep(one: { close(): void }): void {
    this.#kept.push(one);
  }

  #note(id: string): string {
    this.made.push(id);
    return id;
  }

  async #answer<T>(value: T, code: TraversalError['code']): Promise<T> {
    await pause(this.clock, this.#isLucky ? ANSWER : SILENCE, this.signal);
    if (this.#isLucky) return value;
    throw new TraversalError(code, 'nobody answered');
  }
}

/** ms until an answer, and until whoever asks has given up. */
const ANSWER = 40;
const SILENCE = 3_000;

const MAPPING: Mapping = {
  via: 'pcp',
  protocol: 'udp',
  internal: endpoint('192.0.2.10', 4_000),
  external: endpoint('192.0.2.20', 4_000),
  gateway: '192.0.2.20',
  lifetime: 3_600,
  goodUntil: Infinity,
  renewAfter: Infinity,
  reach: 'internet',
  handle: {},
};
