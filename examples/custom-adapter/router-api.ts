/** A port mapper of one's own: for a router that is asked through its maker's library. */
import { type Observable, Subject } from 'rxjs';
import {
  checkMappingRequest,
  type ErrorCode,
  endpoint,
  formatEndpoint,
  type GatewayRestart,
  type Mapping,
  type MappingRequest,
  mappingReach,
  type PortMapper,
  type PortMapperEnvironment,
  type PortMapperFactory,
  type TimerHandle,
  TraversalError,
} from 'sallyport';

/** The library. It does one thing after the other; it answers, or it does not. */
export interface RouterApi {
  /** Opens a port, or keeps it open for longer. */
  open(forward: Forward): Promise<Answer>;
  /** Shuts it, if it is open and leads to the same host and port. */
  shut(forward: Forward): Promise<Answer>;
}

export interface Forward {
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
  /** `host:port` inside. */
  readonly to: string;
  readonly seconds: number;
}

export interface Answer {
  /** How often the router was switched on; then nothing is open. */
  readonly boot: number;
  /** Its address outside. */
  readonly outside: string;
  readonly error?: 'taken' | 'full';
}

/** For `mapping` of an environment. A flow asks for it by `mapper('router-api')`. */
export function routerApi(api: RouterApi): PortMapperFactory {
  return (environment) => new RouterApiMapper(api, environment);
}

class RouterApiMapper implements PortMapper {
  readonly name = 'router-api';
  readonly restarts$: Observable<GatewayRestart>;
  readonly #api: RouterApi;
  readonly #environment: PortMapperEnvironment;
  readonly #restarts = new Subject<GatewayRestart>();
  readonly #closing = new AbortController();
  /** What is being taken back. */
  readonly #shutting = new Set<Promise<unknown>>();
  #boot: number | undefined;

  constructor(api: RouterApi, environment: PortMapperEnvironment) {
    this.#api = api;
    this.#environment = environment;
    this.restarts$ = this.#restarts.asObservable();
  }

  async map(request: MappingRequest, { signal }: Options = {}): Promise<Mapping> {
    checkMappingRequest(request);
    const gateway = (await this.#environment.network.gateways()).find(({ family }) => family === 4);
    if (gateway === undefined) throw failure('ERR_MAPPING_UNAVAILABLE', 'this host has no gateway');
    const { protocol, internalPort, internalAddress = gateway.local, lifetime = 3_600 } = request;
    const lease = { protocol, internal: endpoint(internalAddress, internalPort), gateway: gateway.address, lifetime };
    const { externalPort = internalPort, onConflict } = request;
    const others = onConflict === 'fail' ? [] : this.#otherPorts();
    // A call that ends without an answer may have opened the port all the same.
    return this.#open(lease, [externalPort, ...others], signal, (forward) => this.#takeBack(forward));
  }

  async renew(mapping: Mapping, { signal }: Options = {}): Promise<Mapping> {
    requireOwn(mapping);
    return this.#open(mapping, [mapping.external.port, ...this.#otherPorts()], signal);
  }

  async release(mapping: Mapping, { signal }: Options = {}): Promise<void> {
    requireOwn(mapping);
    const forward = forwardOf(mapping, mapping.external.port);
    await this.#answer(() => this.#api.shut(forward), mapping.gateway, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#restarts.complete();
    await Promise.all(this.#shutting);
  }

  /** Opens the first of the ports that is not somebody else's. */
  async #open(
    lease: Lease,
    ports: readonly number[],
    signal: AbortSignal | undefined,
    onSilence: (forward: Forward) => void = () => {},
  ): Promise<Mapping> {
    for (const port of ports) {
      const forward = forwardOf(lease, port);
      const opening = this.#answer(
        () => this.#api.open(forward),
        lease.gateway,
        signal,
        () => onSilence(forward),
      );
      const { error, outside } = await opening;
      if (error === undefined) return this.#granted(lease, outside, port);
      if (error === 'full') throw failure('ERR_MAPPING_EXHAUSTED', 'the router has no room');
    }
    throw failure('ERR_MAPPING_CONFLICT', `port ${ports[0]} is somebody else's`);
  }

  #granted({ protocol, internal, gateway, lifetime }: Lease, outside: string, port: number): Mapping {
    const { clock, random } = this.#environment;
    const [now, whole] = [clock.now(), lifetime * 1_000];
    const jitter = random.bytes(1)[0]! / 255;
    const times = { lifetime, goodUntil: now + whole, renewAfter: now + whole / 2 + (whole / 8) * jitter };
    const external = endpoint(outside, port);
    return {
      via: this.name,
      protocol,
      internal,
      external,
      gateway,
      ...times,
      reach: mappingReach(outside),
      handle: {},
    };
  }

  /** What the router answers, unless the caller or `close` ends the call before. */
  async #answer(
    ask: () => Promise<Answer>,
    gateway: string,
    signal: AbortSignal | undefined,
    onSilence: () => void = () => {},
  ): Promise<Answer> {
    const stop = AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    if (stop.aborted) throw this.#ended();
    try {
      const answer = await this.#soon(ask(), stop);
      if (this.#boot !== undefined && this.#boot !== answer.boot) this.#restarts.next({ gateway });
      this.#boot = answer.boot;
      return answer;
    } catch (error) {
      onSilence();
      throw error;
    }
  }

  /** The same within two seconds. */
  async #soon(answering: Promise<Answer>, stop?: AbortSignal): Promise<Answer> {
    const { clock } = this.#environment;
    const silent = this.#boot === undefined ? 'ERR_MAPPING_UNAVAILABLE' : 'ERR_TIMEOUT';
    let timer: TimerHandle;
    const given = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(failure(silent, 'the router is silent')), PATIENCE);
      stop?.addEventListener('abort', () => reject(this.#ended()));
    });
    try {
      return await Promise.race([answering, given]);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  #takeBack(forward: Forward): void {
    // The library is called in order, so that this is done after what was asked before. A silent router has to forget by itself.
    const done = this.#soon(this.#api.shut(forward))
      .catch(() => {})
      .finally(() => this.#shutting.delete(done));
    this.#shutting.add(done);
  }

  #ended(): TraversalError {
    return this.#closing.signal.aborted ? failure('ERR_CLOSED', 'it is closed') : failure('ERR_ABORTED', 'aborted');
  }

  /** Some of the dynamic range (RFC 6335 section 6), by chance. */
  #otherPorts(): readonly number[] {
    const chance = Buffer.from(this.#environment.random.bytes(2 * OTHER_PORTS));
    return Array.from({ length: OTHER_PORTS }, (_, i) => 49_152 + (chance.readUInt16BE(2 * i) % 16_384));
  }
}

type Options = { readonly signal?: AbortSignal };
type Lease = Pick<Mapping, 'protocol' | 'internal' | 'gateway' | 'lifetime'>;

function forwardOf({ protocol, internal, lifetime }: Lease, port: number): Forward {
  return { protocol, port, to: formatEndpoint(internal), seconds: lifetime };
}

function requireOwn({ via }: Mapping): void {
  if (via !== 'router-api') throw failure('ERR_USAGE', `a mapping made by ${via} is not for it to renew or release`);
}

function failure(code: ErrorCode, message: string): TraversalError {
  return new TraversalError(code, `router-api: ${message}`);
}

/** ms that a call may take. */
const PATIENCE = 2_000;
const OTHER_PORTS = 8;
