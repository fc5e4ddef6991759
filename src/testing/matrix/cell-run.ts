import type { CandidateType } from '../../core/candidate.ts';
import { parseEndpoint } from '../../core/endpoint.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { DialOutcome } from '../../scenario/index.ts';

/** What a run of the flow came to, as the judge and the reader want to know it. Times are in ms of virtual time since the dial. */
export interface CellRun {
  readonly outcome: DialOutcome['outcome'];
  /** By what the direct path was made; present with `direct`. */
  readonly by?: DirectPath;
  /** Session established. */
  readonly session?: number;
  /** The first message was back. */
  readonly echo?: number;
  /** First on a direct path. */
  readonly direct?: number;
  /** IP packets that both sides sent from the dial on until it had settled. */
  readonly packets: number;
  /** Why there was no connection. */
  readonly code?: ErrorCode;
}

export interface DirectPath {
  /** Name of the strategy that made it. */
  readonly strategy: string;
  readonly transport: 'udp' | 'tcp';
  readonly family: 4 | 6;
  /** Of the candidates that the two sides send to, as the one that sends knows it. */
  readonly remoteTypes: readonly CandidateType[];
}

/** What is told of a dial in a cell. */
export function cellRun(dial: DialOutcome): CellRun {
  const { outcome, ready, firstEcho, direct, dialer, listener, error } = dial;
  return {
    outcome,
    by: directPath(dial),
    session: ready,
    echo: firstEcho,
    direct,
    packets: (dialer?.packets ?? 0) + (listener?.packets ?? 0),
    code: outcome === 'failed' ? (dialer?.verdict?.code ?? error?.code) : undefined,
  };
}

function directPath({ path, dialer, listener }: DialOutcome): DirectPath | undefined {
  if (path?.kind !== 'direct') return undefined;
  const types = [dialer?.remoteType, listener?.remoteType].filter((type) => type !== undefined);
  return {
    strategy: path.strategy,
    transport: path.transport === 'tcp' ? 'tcp' : 'udp',
    family: parseEndpoint(path.remote)?.family ?? 4,
    remoteTypes: types,
  };
}
