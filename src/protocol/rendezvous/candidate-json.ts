import type { CandidateType, RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../core/endpoint.ts';
import type { JsonFields } from './json.ts';

/** Candidates in one message. */
export const MAX_CANDIDATES = 32;

/** The endpoint as text; a zone (RFC 4007) means nothing on another host and stays behind. */
export function writeCandidate({ type, endpoint, priority, foundation }: RemoteCandidate): Record<string, unknown> {
  const address = endpoint.address.replace(/%.*$/, '');
  return { type, endpoint: formatEndpoint({ ...endpoint, address }), priority, foundation };
}

/** Checks the form only: which addresses packets may be aimed at is for the ICE agent to decide. */
export function readCandidate(fields: JsonFields): RemoteCandidate {
  return {
    type: fields.oneOf('type', TYPES),
    endpoint: fields.parsed('endpoint', MAX_ENDPOINT, readEndpoint),
    priority: fields.integer('priority', 1, 2 ** 31 - 1),
    foundation: fields.string('foundation', FOUNDATION),
  };
}

function readEndpoint(text: string): Endpoint | undefined {
  const endpoint = text.includes('%') ? undefined : parseEndpoint(text);
  return endpoint?.port === 0 ? undefined : endpoint;
}

const TYPES: readonly CandidateType[] = ['host', 'srflx', 'prflx', 'mapped', 'relay'];

/** The longest IPv6 address (RFC 4291 section 2.2, with an IPv4 tail), brackets, port. */
const MAX_ENDPOINT = 53;

/** Visible ASCII; wider than RFC 8839 section 5.1, since it is only ever compared. */
const FOUNDATION = /^[\x21-\x7e]{1,64}$/;
