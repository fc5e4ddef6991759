import type { StunServerCounters } from '../protocol/stun/server.ts';
import type { ServerCounters } from './counters.ts';

/** A counter of the process itself, beside those of the server. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** Since its start, user and system together. */
  readonly cpuSeconds: number;
}

/** The counters in Prometheus' text exposition format, version 0.0.4. */
export function formatMetrics(counters: ServerCounters, usage: ProcessUsage): string {
  const { stun, stunTcp } = counters;
  const families: Family[] = [
    gauge('sallyport_clients', 'Connected clients.', counters.clients),
    gauge('sallyport_registrations', 'Listeners that can be found.', counters.registrations),
    gauge('sallyport_sessions', 'Sessions between clients.', counters.sessions),
    gauge('sallyport_standing_bytes', 'Standing answers kept for listeners.', counters.standingBytes),
    gauge('sallyport_half_open_connections', 'TCP connections that are no WebSocket yet.', counters.halfOpen),
    gauge('sallyport_sources', 'Source addresses remembered.', counters.sources),
    gauge('sallyport_queued_bytes', 'What waits for slow readers.', counters.queuedBytes),
    gauge('sallyport_begun_bytes', 'Messages that have come in part.', counters.begunBytes),
    counter('sallyport_offers_total', 'Offers handed to listeners.', counters.offers),
    counter('sallyport_envelopes_total', 'Envelopes carried.', counters.envelopes),
    counter('sallyport_relayed_datagrams_total', 'Datagrams relayed.', counters.relayedDatagrams),
    counter('sallyport_relayed_bytes_total', 'Bytes of relayed datagrams.', counters.relayedBytes),
    counter('sallyport_dropped_datagrams_total', 'Datagrams not relayed.', {
      ...counters.dropped,
      slow: counters.slowDatagrams,
    }),
    counter(
      'sallyport_dropped_bytes_total',
      'Bytes of datagrams not relayed, without slow readers.',
      counters.droppedBytes,
    ),
    counter('sallyport_malformed_frames_total', 'Control frames that made no sense.', counters.malformed),
    counter('sallyport_refused_total', 'Control frames not obeyed, and clients turned away.', counters.refused),
    counter('sallyport_disconnected_total', 'Clients disconnected.', {
      ...counters.offences,
      refusals: counters.cutOff,
      slow: counters.slowClients,
    }),
    counter('sallyport_rejected_connections_total', 'Connections that became no WebSocket.', counters.rejected),
    ...(stun === undefined
      ? []
      : [
          counter('sallyport_stun_requests_total', 'STUN datagrams, by what became of them.', requestsOf(stun)),
          counter(
            'sallyport_stun_received_bytes_total',
            'UDP payload of STUN requests that were answered; with IP and UDP headers 28 (IPv4) or 48 (IPv6) more each.',
            stun.bytesIn,
          ),
          counter(
            'sallyport_stun_sent_bytes_total',
            'UDP payload of STUN answers. At most twice what was received, once the headers of both are counted.',
            stun.bytesOut,
          ),
        ]),
    ...(stunTcp === undefined
      ? []
      : [
          counter(
            'sallyport_stun_tcp_requests_total',
            'STUN messages over TCP, by what became of them.',
            requestsOf(stunTcp),
          ),
          gauge('sallyport_stun_tcp_connections', 'Connections for STUN over TCP.', stunTcp.open),
          counter(
            'sallyport_stun_tcp_closed_total',
            'Connections for STUN over TCP that were closed, not for a request.',
            {
              crowded: stunTcp.crowded,
              'gave-way': stunTcp.gaveWay,
              idle: stunTcp.idle,
            },
          ),
        ]),
    gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', usage.residentBytes),
    counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', usage.cpuSeconds),
  ];
  return families.map(formatFamily).join('');
}

function requestsOf(stun: StunServerCounters): Readonly<Record<string, number>> {
  return {
    answered: stun.answered,
    refused: stun.refused,
    ignored: stun.ignored,
    malformed: stun.malformed,
    limited: stun.rateLimited,
  };
}

/** Metrics of one name, with a value for each reason where there are reasons. */
interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: number | Readonly<Record<string, number>>;
}

function gauge(name: string, help: string, value: number): Family {
  return { name, type: 'gauge', help, value };
}

function counter(name: string, help: string, value: Family['value']): Family {
  return { name, type: 'counter', help, value };
}

/** Names, reasons and help texts are ours and hold nothing that would have to be escaped. */
function formatFamily({ name, type, help, value }: Family): string {
  const samples =
    typeof value === 'number'
      ? [`${name} ${value}`]
      : Object.entries(value).map(([reason, count]) => `${name}{reason="${reason}"} ${count}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples, ''].join('\n');
}
