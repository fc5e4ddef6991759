import type { CandidateTransport, CandidateType, RemoteCandidate, TcpType } from '../../core/candidate.ts';
import { endpoint } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { CandidateAttribute } from './candidate-attribute.ts';

/** What a foreign agent's candidate is to us. */
export type ToldCandidate =
  | { readonly type: 'candidate'; readonly candidate: RemoteCandidate }
  /**
   * The address is a Multicast DNS name; read the attribute again with what it resolves to
   * (draft-ietf-mmusic-mdns-ice-candidates).
   */
  | { readonly type: 'unresolved'; readonly name: string }
  /** Of no use here, and to be ignored (RFC 8839 section 5.1). */
  | { readonly type: 'ignored'; readonly reason: IgnoredReason };

export type IgnoredReason = 'component' | 'transport' | 'type' | 'host-name';

/**
 * Our candidate in words that every agent knows; its base stays at home (RFC 8839 section 5.1), and so does its zone
 * (RFC 4007).
 */
export function attributeOf({ foundation, priority, endpoint, ...candidate }: RemoteCandidate): CandidateAttribute {
  const type = candidate.type === 'mapped' ? 'srflx' : candidate.type;
  return {
    foundation,
    component: COMPONENT,
    transport: candidate.transport,
    priority,
    address: endpoint.address.replace(/%.*$/, ''),
    port: endpoint.port,
    type,
    ...(type !== 'host' && { relatedAddress: endpoint.family === 4 ? '0.0.0.0' : '::', relatedPort: 9 }),
    extensions: candidate.transport === 'tcp' ? [[TCP_TYPE, candidate.tcpType]] : [],
  };
}

export function toldCandidate(attribute: CandidateAttribute): ToldCandidate {
  const { foundation, priority, address, port, type } = attribute;
  const transport = transportOf(attribute);
  if (attribute.component !== COMPONENT) return { type: 'ignored', reason: 'component' };
  if (transport === undefined) return { type: 'ignored', reason: 'transport' };
  if (!isKnownType(type)) return { type: 'ignored', reason: 'type' };
  if (parseIp(address) === undefined) {
    return MDNS_NAME.test(address) ? { type: 'unresolved', name: address } : { type: 'ignored', reason: 'host-name' };
  }
  return {
    type: 'candidate',
    candidate: { type, endpoint: endpoint(address, port), priority, foundation, ...transport },
  };
}

/** The value of an extension, the first of that name. */
export function extensionOf({ extensions }: CandidateAttribute, name: string): string | undefined {
  return extensions.find(([known]) => known === name)?.[1];
}

function transportOf(attribute: CandidateAttribute): CandidateTransport | undefined {
  if (attribute.transport === 'udp') return { transport: 'udp' };
  const tcpType = TCP_TYPES.find((known) => known === extensionOf(attribute, TCP_TYPE));
  return attribute.transport === 'tcp' && tcpType !== undefined ? { transport: 'tcp', tcpType } : undefined;
}

function isKnownType(type: string): type is CandidateType {
  return (TYPES as readonly string[]).includes(type);
}

/** The one component that there is: RTP's, or whatever is multiplexed with it. */
const COMPONENT = 1;
/** RFC 6544 section 4.5. */
const TCP_TYPE = 'tcptype';
const TCP_TYPES: readonly TcpType[] = ['active', 'passive', 'so'];
const TYPES: readonly CandidateType[] = ['host', 'srflx', 'prflx', 'relay'];
/** One label before `.local`; longer names are not of this kind. */
const MDNS_NAME = /^[^.]+\.local$/i;
