import type { AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { type Candidate, candidateKey, transportOf } from '../core/candidate.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { Log } from '../core/log.ts';
import type { PathInfo } from '../core/path.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Reachability } from '../index.ts';
import { chartName, connectionName, currentPathOf, stateOf } from './charts.ts';
import { redact } from './redact.ts';
import type { PathRecord, PeerRecord, TracedEvent } from './trace-format.ts';

/** What is to be told to the recorder of one peer; all of it is redacted. */
export interface PeerRecorder {
  /** For `PeerOptions.inspect`: the charts, and the paths that connections send on. */
  readonly inspect: (event: InspectionEvent) => void;
  /** For `Environment.log`. */
  readonly log: Log;
  /** For `Peer.reachability$`: candidates that were not there before. */
  reachability(reachability: Pick<Reachability, 'candidates'>): void;
  /** `connection`: its id. */
  verdict(connection: string, verdict: Verdict): void;
}

/** `write` is given the records of the peer of that name as they are made. */
export function createPeerRecorder(who: string, write: (record: PeerRecord) => void): PeerRecorder {
  /** The id of the path that each connection sends on. */
  const paths = new WeakMap<object, string>();
  let known: ReadonlySet<string> = new Set();

  const followPath = (actorRef: object, actor: string, path: PathInfo | undefined): void => {
    if (paths.get(actorRef) === path?.id) return;
    if (path === undefined) paths.delete(actorRef);
    else paths.set(actorRef, path.id);
    write({ who, what: 'path', actor, path: (redact(path) ?? null) as PathRecord['path'] });
  };

  return {
    inspect(inspection) {
      if (inspection.type !== '@xstate.snapshot' || !isOfMachine(inspection.snapshot)) return;
      const { actorRef, event, snapshot } = inspection;
      const chart = chartName(snapshot.machine.id);
      if (chart === undefined) return;
      const actor = actorName(actorRef);
      const state = stateOf(snapshot);
      if (event.type === 'xstate.init')
        write({ who, what: 'chart', actor, chart, input: redact(event.input), ...state });
      else write({ who, what: 'event', actor, event: redact(event) as TracedEvent, ...state });
      followPath(actorRef, actor, currentPathOf(chart, snapshot));
    },
    log(event, fields) {
      const shown = fields === undefined ? {} : { fields: redact(fields) as Readonly<Record<string, unknown>> };
      write({ who, what: 'log', event, ...shown });
    },
    reachability({ candidates }) {
      const before = known;
      known = new Set(candidates.map(keyOf));
      for (const candidate of candidates) {
        if (before.has(keyOf(candidate))) continue;
        const { type, endpoint, base, priority } = candidate;
        write({
          who,
          what: 'candidate',
          type,
          address: formatEndpoint(endpoint),
          base: formatEndpoint(base),
          priority,
          ...transportOf(candidate),
        });
      }
    },
    verdict(connection, verdict) {
      write({ who, what: 'verdict', actor: connectionName(connection), verdict: redact(verdict) });
    },
  };
}

function isOfMachine(snapshot: object): snapshot is AnyMachineSnapshot {
  return 'machine' in snapshot;
}

/** Actors of peers are created with an id; XState's type of an inspected one does not say so. */
function actorName(actorRef: object): string {
  return 'id' in actorRef && typeof actorRef.id === 'string' ? actorRef.id : 'unnamed';
}

function keyOf(candidate: Candidate): string {
  return `${candidate.type} ${candidateKey(candidate)}`;
}
