import { type Endpoint, endpoint } from '../../core/endpoint.ts';
import { messageOf, TraversalError } from '../../core/errors.ts';
import type { NetworkInterface } from '../../core/network.ts';
import type { PortMapperEnvironment } from '../../core/port-mapper.ts';
import type { Relay, RelayedSocket, RelayFactory } from '../../core/relay.ts';
import { within } from '../../core/within.ts';
import { createTurnClient } from '../../protocol/turn/index.ts';
import { Redirections } from '../../protocol/turn/redirections.ts';
import { relayError } from './turn-failure.ts';
import { openTurnLink } from './turn-link.ts';
import { TurnSocket } from './turn-socket.ts';
import { completeAddress, parseTurnUrl, type TurnServerAddress, turnName } from './turn-url.ts';

export type { TurnServerAddress } from './turn-url.ts';

/**
 * A TURN server (RFC 8656), over UDP or TCP, as `turn:user:password@host:port[?transport=tcp]` or in parts. Errors: `ERR_USAGE`,
 * `ERR_NOT_AVAILABLE` for TURN over TLS (`turns:`); neither shows the password.
 */
export function turnRelay(server: string | TurnServerAddress): RelayFactory {
  const address = typeof server === 'string' ? parseTurnUrl(server) : completeAddress(server);
  return (environment) => new TurnRelay(address, environment);
}

type AllocateOptions = Parameters<Relay['allocate']>[0];

class TurnRelay implements Relay {
  readonly name: string;
  readonly transport: Relay['transport'];
  readonly #address: Required<TurnServerAddress>;
  readonly #environment: PortMapperEnvironment;

  constructor(address: Required<TurnServerAddress>, environment: PortMapperEnvironment) {
    this.name = turnName(address);
    this.transport = `turn-${address.transport}`;
    this.#address = address;
    this.#environment = environment;
  }

  async allocate(options: AllocateOptions): Promise<RelayedSocket> {
    const { network, signal } = options;
    try {
      signal.throwIfAborted();
      return await this.#allocateAtOne(await network.resolve(this.#address.host, { signal }), options);
    } catch (error) {
      throw signal.aborted
        ? new TraversalError('ERR_ABORTED', `${this.name}: aborted`, { cause: signal.reason })
        : error;
    }
  }

  /** Asks the server at its best address, and at the best one of the other family if there it does not answer. */
  async #allocateAtOne(addresses: readonly string[], options: AllocateOptions): Promise<RelayedSocket> {
    const servers = addresses.map((address) => endpoint(address, this.#address.port));
    const [first, ...others] = bestOfEach(servers, options.network.interfaces());
    let attempt = this.#allocateWithin(first, options);
    for (const server of others) {
      attempt = attempt.catch((error) => {
        if (options.signal.aborted || !isUnreachable(error)) throw error;
        return this.#allocateWithin(server, options);
      });
    }
    return attempt;
  }

  async #allocateWithin(server: Endpoint, options: AllocateOptions): Promise<RelayedSocket> {
    const { signal: outer } = options;
    let work: Promise<RelayedSocket> | undefined;
    try {
      return await within(this.#environment.clock, this.name, ANSWERING_TIME, outer, (signal) => {
        work = this.#allocateAt(server, { ...options, signal });
        return work;
      });
    } catch (error) {
      // Nobody waits for what comes too late.
      work?.then(
        (socket) => socket.close(),
        () => {},
      );
      if (outer.aborted || (error instanceof TraversalError && error.code.startsWith('ERR_RELAY'))) throw error;
      const problem = messageOf(error);
      throw new TraversalError('ERR_RELAY_UNREACHABLE', `${this.name} cannot be reached: ${problem}`, { cause: error });
    }
  }

  /** Over UDP the engine goes to another server by itself, over TCP that takes another connection (RFC 8489 section 10). */
  async #allocateAt(server: Endpoint, options: AllocateOptions): Promise<RelayedSocket> {
    const redirections = new Redirections(server);
    for (;;) {
      const socket = await this.#open(redirections.server, options);
      const failure = await socket.allocated;
      if (failure === undefined) return socket;
      const alternate = failure.kind === 'redirected' && this.transport === 'turn-tcp' ? failure.alternate : undefined;
      if (alternate === undefined || !redirections.follow(alternate)) throw relayError(this.name, failure);
    }
  }

  /** A socket that asks for its allocation, and gives it back when it is not wanted any more before it is there. */
  async #open(server: Endpoint, { network, family, signal }: AllocateOptions): Promise<TurnSocket> {
    const { clock, random, log } = this.#environment;
    const { user: username, password, transport } = this.#address;
    const link = await openTurnLink(network, server, transport, signal);
    const engine = createTurnClient({ server, username, password, transport, random, ...(family && { family }) });
    const socket = new TurnSocket({ relay: this, engine, link, clock, log });
    const onAbort = (): void => socket.close();
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) socket.close();
    void socket.allocated.then(() => signal.removeEventListener('abort', onAbort));
    return socket;
  }
}

/** The first of each family, those of a family that this host has outside before others. */
function bestOfEach(
  servers: readonly Endpoint[],
  interfaces: readonly NetworkInterface[],
): readonly [Endpoint, ...Endpoint[]] {
  const own = new Set(interfaces.flatMap(({ family, internal }) => (internal ? [] : family)));
  const best = servers.filter((one, i) => servers.findIndex(({ family }) => family === one.family) === i);
  // A name has at least one address.
  const [first, ...others] = best.sort((a, b) => Number(own.has(b.family)) - Number(own.has(a.family)));
  return [first!, ...others];
}

function isUnreachable(error: unknown): boolean {
  return error instanceof TraversalError && error.code === 'ERR_RELAY_UNREACHABLE';
}

/** ms for an address of the server: requests go out after 0, 500, 1500 and 3500 ms of them. */
const ANSWERING_TIME = 5_000;
