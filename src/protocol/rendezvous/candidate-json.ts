import {
  type CandidateTransport,
  type CandidateType,
  type RemoteCandidate,
  type TcpType,
  UDP,
} from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../core/endpoint.ts';
import { withoutZone } from '../../core/ip-address.ts';
import type { JsonFields } from './json.ts';

/** Candidates in one message. */
export const MAX_CANDIDATES = 32;

/** The endpoint as text; a zone (RFC 4007) means nothing on another host and stays behind. */
export function writeCandidate({
  type,
  endpoint,
  priority,
  foundation,
  transport,
  tcpType,
}: RemoteCandidate): Record<string, unknown> {
  const address = withoutZone(endpoint.address);
  const at = formatEndpoint({ ...endpoint, address });
  return { type, endpoint: at, priority, foundation, ...(transport === 'tcp' && { transport, tcpType }) };
}

/** Checks the form only: which addresses packets may be aimed at is for the ICE agent to decide. */
export function readCandidate(fields: JsonFields): RemoteCandidate {
  const transport = readTransport(fields);
  return {
    type: fields.oneOf('type', TYPES),
    endpoint: fields.parsed('endpoint', MAX_ENDPOINT, readEndpoint),
    priority: fields.integer('priority', 1, 2 ** 31 - 1),
    foundation: fields.string('foundation', FOUNDATION),
    ...transport,
  };
}

/** Absent, it is UDP. */
function readTransport(fields: JsonFields): CandidateTransport {
  if (!fields.has('transport') || fields.oneOf('transport', TRANSPORTS) === 'udp') return UDP;
  return { transport: 'tcp', tcpType: fields.oneOf('tcpType', TCP_TYPES) };
}

function readEndpoint(text: string): Endpoint | undefined {
  const endpoint = text.includes('%') ? undefined : parseEndpoint(text);
  return endpoint?.port === 0 ? undefined : endpoint;
}

const TRANSPORTS: readonly CandidateTransport['transport'][] = ['udp', 'tcp'];

const TCP_TYPES: readonly TcpType[] = ['active', 'passive', 'so'];

const TYPES: readonly CandidateType[] = ['host', 'srflx', 'prflx', 'mapped', 'relay'];

/** The longest IPv6 address (RFC 4291 section 2.2, with an IPv4 tail), brackets, port. */
const MAX_ENDPOINT = 53;

/** Visible ASCII; wider than RFC 8839 section 5.1, since it is only ever compared. */
const FOUNDATION = /^[\x21-\x7e]{1,64}$/;
