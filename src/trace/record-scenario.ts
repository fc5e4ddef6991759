import { formatEndpoint } from '../core/endpoint.ts';
import {
  type NatChange,
  type Outcome,
  type RunEvent,
  type RunOptions,
  type RunWatch,
  runScenario,
  type Scenario,
} from '../scenario/index.ts';
import { connectionName } from './charts.ts';
import { createPeerRecorder, type PeerRecorder } from './peer-recorder.ts';
import { redact } from './redact.ts';
import type { NatRecord, StepName, StepRecord } from './trace-format.ts';
import { tracePacket } from './trace-packet.ts';
import { createTraceWriter, type TraceSink, type TraceWriter } from './trace-writer.ts';

/** As for {@link runScenario}. */
export type RecordOptions = RunOptions;

/**
 * Runs a scenario and writes the trace of the run. The same scenario gives the same lines, byte for byte. Errors: those of
 * {@link runScenario}, among them what the watch throws, which leaves the trace without its end; and the first that the sink threw,
 * after which nothing was written.
 */
export async function recordTrace(scenario: Scenario, sink: TraceSink, options: RecordOptions = {}): Promise<Outcome> {
  const { watch = () => {}, flows } = options;
  const trace = createTraceWriter(sink, { world: 'simulated', scenario });
  const recorder = createRunRecorder(trace);
  let last = 0;
  const outcome = await runScenario(scenario, {
    flows,
    watch(event) {
      last = event.at;
      recorder(event);
      watch(event);
    },
  });
  // Packets may still be under way when the last peer has closed.
  trace.end(Math.max(last, outcome.endedAt));
  return outcome;
}

/** A watch that writes what it sees. */
function createRunRecorder(trace: TraceWriter): RunWatch {
  let now = 0;
  const peers = new Map<string, PeerRecorder>();
  const peerNamed = (who: string): PeerRecorder => {
    const known = peers.get(who);
    if (known !== undefined) return known;
    const added = createPeerRecorder(who, (record) => trace.write({ t: now, ...record }));
    peers.set(who, added);
    return added;
  };

  return (news) => {
    now = news.at;
    switch (news.type) {
      case 'packet':
        trace.write({ t: now, what: 'packet', ...tracePacket(news.record) });
        break;
      case 'world':
        trace.write({ t: now, what: 'world', event: news.event });
        break;
      case 'nat':
        trace.write({ t: now, what: 'nat', ...natRecordOf(news.change) });
        break;
      case 'signal':
        peerNamed(news.who).signal(news.signal);
        break;
      case 'pairs':
        peerNamed(news.who).pairs(news.connection, news.pairs);
        break;
      case 'stats':
        peerNamed(news.who).stats(news.connection, news.stats);
        break;
      case 'machine':
        peerNamed(news.who).inspect(news.inspection);
        break;
      case 'log':
        peerNamed(news.who).log(news.event, news.fields);
        break;
      case 'reachability':
        peerNamed(news.who).reachability(news.reachability);
        break;
      case 'verdict':
        peerNamed(news.who).verdict(news.connection, news.verdict);
        break;
      case 'state':
      case 'path':
        // The charts have told that.
        break;
      default:
        trace.write({ t: now, who: news.who, what: 'step', ...stepOf(news) });
    }
  };
}

type Step = Extract<RunEvent, { readonly type: StepName }>;

function natRecordOf({ place, rules, set, gone }: NatChange): Omit<NatRecord, 'what'> {
  return {
    place,
    ...(rules !== undefined && { rules }),
    set: set.map(({ protocol, internal, external, remotes, isExplicit }) => ({
      protocol,
      internal: formatEndpoint(internal),
      external: formatEndpoint(external),
      remotes: remotes.slice(0, MAX_REMOTES).map(formatEndpoint),
      explicit: isExplicit,
    })),
    gone: gone.map(({ protocol, internal, external }) => ({
      protocol,
      internal: formatEndpoint(internal),
      external: formatEndpoint(external),
    })),
  };
}

/** Of one mapping. */
const MAX_REMOTES = 20;

function stepOf(news: Step): Pick<StepRecord, 'step' | 'actor' | 'fields'> {
  const { at: _, who: __, type: step, ...rest } = news;
  const { connection, ...fields } = { connection: undefined, ...rest };
  return {
    step,
    ...(connection !== undefined && { actor: connectionName(connection) }),
    ...(Object.keys(fields).length > 0 && { fields: redact(fields) as StepRecord['fields'] }),
  };
}
