import { systemClock } from '../node.ts';
import type { RealTrace } from '../trace/record-peers.ts';
import type { Reporter } from './reporter.ts';
import { openTraceFile } from './trace-file.ts';

/**
 * The trace of a real peer in a file. That it could not be written to its end is told at its end. What writes it is loaded for those who
 * ask for one. Errors: `ERR_USAGE`.
 */
export async function openPeerTrace(path: string, reporter: Pick<Reporter, 'say'>): Promise<RealTrace> {
  const { recordPeers } = await import('../trace/record-peers.ts');
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
