import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { deriveKey } from './key-schedule.ts';

/** User name fragment and password of one ICE agent (RFC 8445 section 5.3). */
export interface IceCredentials {
  /** 8 ice-chars, 48 bits. */
  readonly ufrag: string;
  /** 24 ice-chars, 144 bits. */
  readonly pwd: string;
}

/** What both sides know of each other. */
export interface SharedCredentials {
  readonly dialer: IceCredentials;
  readonly listener: IceCredentials;
}

/**
 * Both sides' credentials, known to both from the ticket's secret and the session id alone, so that checks can begin
 * before any message has crossed. Each ICE restart counts `generation` up, from 0.
 */
export function iceCredentials(secret: Uint8Array, session: Uint8Array, generation: number): SharedCredentials {
  return derive(secret, session, `ice ${generation}`);
}

/**
 * The same for checks of the pairs that have this address at a relay, whoever's it is. Since they are nobody else's, whoever hears such a
 * check knows that it came over the relay, be the address that it came from told or not.
 */
export function relayedIceCredentials(secret: Uint8Array, session: Uint8Array, relayed: Endpoint): SharedCredentials {
  return derive(secret, session, `ice at relay ${formatEndpoint(relayed)}`);
}

function derive(secret: Uint8Array, session: Uint8Array, label: Parameters<typeof deriveKey>[2]): SharedCredentials {
  const material = deriveKey(secret, session, label, 2 * (UFRAG_BYTES + PWD_BYTES));
  return {
    dialer: readCredentials(material.subarray(0, UFRAG_BYTES + PWD_BYTES)),
    listener: readCredentials(material.subarray(UFRAG_BYTES + PWD_BYTES)),
  };
}

/** The alphabet of ice-char (RFC 8839 section 5.4) is that of base64, and multiples of 3 bytes need no padding. */
function readCredentials(material: Uint8Array): IceCredentials {
  const text = Buffer.from(material).toString('base64');
  const ufragLength = (UFRAG_BYTES / 3) * 4;
  return { ufrag: text.slice(0, ufragLength), pwd: text.slice(ufragLength) };
}

const UFRAG_BYTES = 6;
const PWD_BYTES = 18;
