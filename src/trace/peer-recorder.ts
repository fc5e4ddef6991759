import type { AnyActorRef } from 'xstate';
import { type Candidate, candidateKey, transportOf } from '../core/candidate.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { PeerObserver, Reachability, SeenPacket } from '../index.ts';
import { ActorRecorder } from './actor-recorder.ts';
import { connectionName } from './charts.ts';
import { PairChanges } from './pair-changes.ts';
import { redact } from './redact.ts';
import type { PeerRecord, TracePacketRecord } from './trace-format.ts';

/** An observer that records all that it is told, redacted: for `PeerOptions.observer`. */
export interface PeerRecorder extends Required<PeerObserver> {
  /** Records an actor that runs already, as it is now, unless it was recorded before. */
  begin(actorRef: AnyActorRef): void;
}

export interface PeerRecorderOptions {
  /** Whether contexts of machines are recorded. Default false. */
  readonly contexts?: boolean;
}

/** `write` is given the records of the peer of that name as they are made. */
export function createPeerRecorder(
  who: string,
  write: (record: PeerRecord | TracePacketRecord) => void,
  { contexts = false }: PeerRecorderOptions = {},
): PeerRecorder {
  const actors = new ActorRecorder((record) => write({ who, ...record } as PeerRecord), contexts);
  const pairChanges = new PairChanges();
  let known: ReadonlySet<string> = new Set();
  let behaviorTold: string | undefined;

  const tellBehavior = (behavior: Reachability['behavior']): void => {
    const text = JSON.stringify(behavior);
    if (text === behaviorTold) return;
    behaviorTold = text;
    write({ who, what: 'behavior', behavior: redact(behavior) as Reachability['behavior'] });
  };

  return {
    inspect: actors.inspect,
    begin: (actorRef) => actors.begin(actorRef),
    log(event, fields) {
      const shown = fields === undefined ? {} : { fields: redact(fields) as Readonly<Record<string, unknown>> };
      write({ who, what: 'log', event, ...shown });
    },
    reachability({ candidates, behavior }) {
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
      tellBehavior(behavior);
    },
    signal({ way, message, carrier, connection, length }) {
      write({
        who,
        what: 'signal',
        way,
        message,
        carrier: redact(carrier) as string,
        ...(connection !== undefined && { actor: connectionName(connection) }),
        ...(length !== undefined && { length }),
      });
    },
    packet: (seen) => write({ what: 'packet', place: who, ...packetOf(seen) }),
    pairs(connection, pairs) {
      const changed = pairChanges.of(connection, pairs);
      if (changed.length > 0) write({ who, what: 'pairs', actor: connectionName(connection), pairs: changed });
    },
    stats: (connection, stats) => write({ who, what: 'stats', actor: connectionName(connection), stats }),
    verdict(connection, verdict) {
      pairChanges.forget(connection);
      write({ who, what: 'verdict', actor: connectionName(connection), verdict: redact(verdict) });
    },
  };
}

function packetOf({
  way,
  local,
  remote,
  length,
  carries,
  more,
}: SeenPacket): Pick<TracePacketRecord, 'fate' | 'packet' | 'carries' | 'more'> {
  const [from, to] = way === 'sent' ? [local, remote] : [remote, local];
  return {
    fate: way === 'sent' ? 'sent' : 'delivered',
    packet: { protocol: 'udp', from: formatEndpoint(from), to: formatEndpoint(to), length },
    ...(carries !== undefined && { carries }),
    ...(more > 0 && { more }),
  };
}

function keyOf(candidate: Candidate): string {
  return `${candidate.type} ${candidateKey(candidate)}`;
}
