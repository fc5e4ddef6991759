import type { Candidate } from '../core/candidate.ts';
import type { Clock } from '../core/clock.ts';
import type { IceInput } from '../protocol/ice/index.ts';

/** Hands this side's candidates to an ICE agent, those that open TCP connections only after UDP had its chance. */
export interface TcpTurn {
  addLocal(candidate: Candidate): void;
  /** No more local candidates are expected; the agent is told once it has them all. */
  endLocal(): void;
  stop(): void;
}

export interface TcpTurnOptions {
  readonly clock: Clock;
  readonly handle: (input: Extract<IceInput, { type: 'local-candidate' | 'end-of-candidates' }>) => void;
  /** Whether nothing better than TCP has been found. */
  readonly isNeeded: () => boolean;
}

/**
 * ms that checks over UDP have for themselves: three sends of each, and more than a round trip around the world. Where UDP works,
 * no TCP connection is ever opened.
 */
export const UDP_FIRST = 500;

export function createTcpTurn({ clock, handle, isNeeded }: TcpTurnOptions): TcpTurn {
  const waiting: Candidate[] = [];
  let ended = false;
  let taken = false;

  const end = (): void => handle({ type: 'end-of-candidates', side: 'local' });

  const give = (candidate: Candidate): void => handle({ type: 'local-candidate', candidate });

  const timer = clock.setTimeout(() => {
    taken = true;
    if (isNeeded()) for (const candidate of waiting) give(candidate);
    if (ended) end();
  }, UDP_FIRST);

  return {
    addLocal(candidate) {
      if (candidate.tcpType !== 'active') give(candidate);
      else if (!taken) waiting.push(candidate);
      else if (isNeeded()) give(candidate);
    },
    endLocal() {
      ended = true;
      if (taken) end();
    },
    stop: () => clock.clearTimeout(timer),
  };
}
