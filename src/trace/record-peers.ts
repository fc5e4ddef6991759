import type { Clock } from '../core/clock.ts';
import { createPeerRecorder, type PeerRecorder } from './peer-recorder.ts';
import { createTraceWriter, type TraceSink } from './trace-writer.ts';

/** A trace of real peers, of one or of several in this process. */
export interface RealTrace {
  /** Of the peer of that name; what it is told is written at once. */
  peer(who: string): PeerRecorder;
  /**
   * Writes the last line; what comes later is left out. The sink is its owner's to close. Throws what the sink threw
   * first, after which nothing was written: the peers are not disturbed by it.
   */
  end(): void;
}

/** Begins a trace of real peers; its times count from now. What the sink throws at once is thrown. */
export function recordPeers(sink: TraceSink, clock: Pick<Clock, 'now' | 'wallTime'>): RealTrace {
  const startedAt = clock.now();
  const elapsed = (): number => Math.round((clock.now() - startedAt) * 1_000) / 1_000;
  const trace = createTraceWriter(sink, { world: 'real', began: clock.wallTime() });
  return {
    peer: (who) => createPeerRecorder(who, (record) => trace.write({ t: elapsed(), ...record })),
    end: () => trace.end(elapsed()),
  };
}
