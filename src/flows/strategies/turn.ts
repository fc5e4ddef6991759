import type { TimerHandle } from '../../core/clock.ts';
import type { Family } from '../../core/endpoint.ts';
import type { Relay, RelayedSocket } from '../../core/relay.ts';
import type { PathEnvironment, StrategyInput } from '../../core/strategy.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';

/**
 * A relayed path over one of the environment's relays, such as TURN servers (RFC 8656): the first that gives an address, which is told to
 * the other side. Of several each is asked when those before it have refused, and 500 ms after the one before it at the latest. Fails at
 * once where the environment has none. Each run asks for an address of its own.
 */
export function turn(): StrategyStep<'relayed'> {
  return defineStrategy({
    name: 'turn',
    gives: 'relayed',
    // What is sent to the relays, and in checks from there, is bounded by both; they have sockets of their own.
    bounds: { time: LONGEST, packets: 0, sockets: 0 },
    async run(input) {
      if (input.env.relays.length === 0) {
        return { ok: false, code: 'ERR_NOT_AVAILABLE', reason: 'the environment has no TURN server' };
      }
      const socket = await allocateFirst(input.env, familyFor(input));
      return { ok: true, path: await input.env.relayed(socket) };
    },
  });
}

/** An address that the other side has use for: IPv4, unless all that is known of it is IPv6. */
function familyFor({ remote }: StrategyInput<'relayed'>): Family {
  return remote.length > 0 && remote.every(({ endpoint }) => endpoint.family === 6) ? 6 : 4;
}

/** Errors: that of the last relay asked, when none gives an address; what the strategy was aborted with. */
function allocateFirst(env: PathEnvironment, family: Family): Promise<RelayedSocket> {
  const { clock, network, signal } = env;
  const won = new AbortController();
  const waiting = [...env.relays];
  let asked = 0;
  let timer: TimerHandle | undefined;
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      won.abort();
      settle();
    };
    const abort = (): void => end(() => reject(signal.reason));
    const ask = (relay: Relay): void => {
      asked++;
      relay.allocate({ network, family, signal: won.signal }).then(
        (socket) => (won.signal.aborted ? socket.close() : end(() => resolve(socket))),
        (error) => {
          asked--;
          if (won.signal.aborted) return;
          if (waiting.length === 0 && asked === 0) end(() => reject(error));
          else askNext();
        },
      );
    };
    const askNext = (): void => {
      clock.clearTimeout(timer);
      const relay = waiting.shift();
      if (relay === undefined) return;
      timer = clock.setTimeout(askNext, STAGGER);
      ask(relay);
    };
    signal.addEventListener('abort', abort);
    askNext();
  });
}

/** ms between two relays that are asked. */
const STAGGER = 500;
/** ms. The checks end by themselves, but where people carry what the two sides say to each other they go on for as long as they may take. */
const LONGEST = 600_000;
