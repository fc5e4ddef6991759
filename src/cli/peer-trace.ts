import { systemClock } from '../node.ts';
import { type RealTrace, recordPeers } from '../trace/record-peers.ts';
import type { Reporter } from './reporter.ts';
import { openTraceFile } from './trace-file.ts';

/** The trace of a real peer in a file. That it could not be written to its end is told at its end. Throws `ERR_USAGE`. */
export function openPeerTrace(path: string, reporter: Pick<Reporter, 'say'>): RealTrace {
  const file = openTraceFile(path);
  const trace = recordPeers(file.sink, systemClock());
  return {
    peer: (who) => trace.peer(who),
    end() {
      try {
        trace.end();
      } catch (error) {
        reporter.say(`the trace ${path} is not whole: ${(error as Error).message}`);
      } finally {
        file.close();
      }
    },
  };
}
