import type { Candidate } from '../core/candidate.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { IceInput } from '../protocol/ice/index.ts';

/** Hands this side's candidates to an ICE agent, those that open TCP connections only after UDP had its chance. */
export interface TcpTurn {
  /**
   * The other side has said something of its candidates: checks over UDP can begin, and with the first word their time
   * does.
   */
  begin(): void;
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
 * ms that checks over UDP have for themselves, from the other side's first candidates on: three sends of each, and more
 * than a round trip around the world. Where UDP works, no TCP connection is ever opened.
 */
export const UDP_FIRST = 500;

export function createTcpTurn({ clock, handle, isNeeded }: TcpTurnOptions): TcpTurn {
  const waiting: Candidate[] = [];
  let ended = false;
  let taken = false;
  let timer: TimerHandle | undefined;

  const end = (): void => handle({ type: 'end-of-candidates', side: 'local' });

  const give = (candidate: Candidate): void => handle({ type: 'local-candidate', candidate });

  const take = (): void => {
    taken = true;
    if (isNeeded()) for (const candidate of waiting) give(candidate);
    if (ended) end();
  };

  return {
    begin() {
      timer ??= clock.setTimeout(take, UDP_FIRST);
    },
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
