import { formatEndpoint } from '../core/endpoint.ts';
import type { PairSnapshot, RemoteCandidate } from '../index.ts';
import type { TracedPair } from './trace-format.ts';

/** Which pairs of each connection are not as they were told last. */
export class PairChanges {
  /** By connection and id. */
  readonly #told = new Map<string, Map<string, TracedPair>>();

  /** What is new in a checklist, in short. */
  of(connection: string, pairs: readonly PairSnapshot[]): readonly TracedPair[] {
    const told = this.#told.get(connection) ?? new Map<string, TracedPair>();
    this.#told.set(connection, told);
    return pairs.map(inShort).filter((pair) => {
      if (isSame(told.get(pair.id), pair)) return false;
      told.set(pair.id, pair);
      return true;
    });
  }

  forget(connection: string): void {
    this.#told.delete(connection);
  }
}

function inShort({ id, local, remote, state, nominated, rtt, failure, ...counts }: PairSnapshot): TracedPair {
  const { requestsSent, responsesReceived, requestsReceived } = counts;
  return {
    id,
    local: candidateText(local),
    remote: candidateText(remote),
    state,
    nominated,
    ...(rtt !== undefined && { rtt }),
    ...(failure !== undefined && { failure }),
    requestsSent,
    responsesReceived,
    requestsReceived,
  };
}

function candidateText({ type, transport, tcpType, endpoint }: RemoteCandidate): string {
  return `${type} ${tcpType === undefined ? transport : `${transport} ${tcpType}`} ${formatEndpoint(endpoint)}`;
}

function isSame(a: TracedPair | undefined, b: TracedPair): boolean {
  return a !== undefined && KEYS.every((key) => a[key] === b[key]);
}

const KEYS = [
  'local',
  'remote',
  'state',
  'nominated',
  'rtt',
  'failure',
  'requestsSent',
  'responsesReceived',
  'requestsReceived',
] as const satisfies readonly (keyof TracedPair)[];
