import type { RemoteCandidate } from '../core/candidate.ts';
import type { Clock } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';
import type { Network } from '../core/network.ts';
import {
  type CandidateAttribute,
  decodeCandidateAttribute,
  extensionOf,
  toldCandidate,
} from '../protocol/ice/index.ts';

/** Candidate lines of the other side that came to nothing, by why. */
export interface IgnoredLines {
  /** Another component than the first, another transport than UDP and TCP, another type than the four, a host name. */
  useless: number;
  /** A Multicast DNS name that nobody knew in time, or one too many of them. */
  unresolved: number;
  /** Of another generation than the credentials, by its `ufrag` (RFC 8838 section 18). */
  stale: number;
  /** More than 100 lines. */
  tooMany: number;
}

/** Reads the other side's candidate lines, of one generation. */
export interface RemoteLines {
  /** A line that was read before is passed over. Throws `DecodeError` on a malformed one; those before it count. */
  read(lines: readonly string[], ufrag: string | undefined): void;
  /** No more lines will come: told on when all names have been looked up. */
  end(): void;
  /** Gives the look-ups up. */
  stop(): void;
}

export interface RemoteLinesOptions {
  readonly env: Pick<Environment, 'network' | 'clock' | 'log'>;
  readonly ignored: IgnoredLines;
  readonly onCandidate: (candidate: RemoteCandidate) => void;
  readonly onEnd: () => void;
}

export function createRemoteLines({ env, ignored, onCandidate, onEnd }: RemoteLinesOptions): RemoteLines {
  const seen = new Set<string>();
  const lookUps = new Set<Promise<void>>();
  const stopped = new AbortController();
  let names = 0;

  const readLine = (line: string, ufrag: string | undefined): void => {
    const attribute = decodeCandidateAttribute(line);
    if ((extensionOf(attribute, 'ufrag') ?? ufrag) !== ufrag) ignored.stale++;
    else take(attribute);
  };

  const take = (attribute: CandidateAttribute): void => {
    const told = toldCandidate(attribute);
    if (told.type === 'candidate') onCandidate(told.candidate);
    else if (told.type === 'ignored') ignored.useless++;
    else if (names++ < MAX_NAMES) track(lookUp(attribute, told.name));
    else ignored.unresolved++;
  };

  const lookUp = async (attribute: CandidateAttribute, name: string): Promise<void> => {
    const address = await resolveName(name, env.network, env.clock, stopped.signal).catch((error) => {
      env.log('candidate.unresolved', { name, error: String(error) });
      return undefined;
    });
    if (stopped.signal.aborted) return;
    if (address === undefined) ignored.unresolved++;
    else take({ ...attribute, address });
  };

  const track = (pending: Promise<void>): void => {
    lookUps.add(pending);
    void pending.finally(() => lookUps.delete(pending));
  };

  return {
    read(lines, ufrag) {
      for (const line of lines) {
        if (seen.has(line)) continue;
        if (seen.size >= MAX_LINES) {
          ignored.tooMany++;
          continue;
        }
        seen.add(line);
        readLine(line, ufrag);
      }
    },
    end() {
      if (lookUps.size === 0) onEnd();
      else void Promise.all(lookUps).then(() => stopped.signal.aborted || onEnd());
    },
    stop: () => stopped.abort(),
  };
}

/**
 * One address of a Multicast DNS name, the first IPv6 one if there is one (draft-ietf-mmusic-mdns-ice-candidates), by
 * the system's resolver. Errors: `ERR_RESOLVE`, `ERR_ABORTED` after {@link PATIENCE}.
 */
async function resolveName(
  name: string,
  network: Network,
  clock: Clock,
  stopped: AbortSignal,
): Promise<string | undefined> {
  const late = new AbortController();
  const timer = clock.setTimeout(() => late.abort(), PATIENCE);
  try {
    const addresses = await network.resolve(name, { signal: AbortSignal.any([late.signal, stopped]) });
    return addresses.find((address) => address.includes(':')) ?? addresses[0];
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Lines of one generation that are read. */
const MAX_LINES = 100;
/** Names of one generation that are looked up. */
const MAX_NAMES = 8;
/** ms for one name. */
const PATIENCE = 3000;
