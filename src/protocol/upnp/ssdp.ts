import { DecodeError } from '../../core/errors.ts';
import { decodeHead, findHeadEnd, latin1, type MessageHead } from './message-head.ts';

/**
 * SSDP, the discovery of UPnP Device Architecture 2.0 section 1: HTTP heads in UDP datagrams.
 *
 *     M-SEARCH * HTTP/1.1        a control point asks, by multicast or one host
 *     HTTP/1.1 200 OK            a device answers, to the asker
 *     NOTIFY * HTTP/1.1          a device says by multicast that it comes, changes or goes
 */
export type SsdpMessage = SsdpResponse | SsdpNotify;

export interface SsdpResponse {
  readonly kind: 'response';
  /** ST: what was searched for, as the device has it. */
  readonly target: string;
  /** USN: which part of which device answers. */
  readonly usn: string;
  /** LOCATION: URL of the device description. */
  readonly location: string;
  /** BOOTID.UPNP.ORG, or what UDA 1.0 devices send in its stead: changes whenever the device starts anew. */
  readonly bootId: string | undefined;
  /** CONFIGID.UPNP.ORG: changes with the description. */
  readonly configId: string | undefined;
}

export interface SsdpNotify {
  readonly kind: 'alive' | 'byebye' | 'update';
  /** NT: which kind of thing this is about. */
  readonly target: string;
  readonly usn: string;
  /** Absent from `byebye`. */
  readonly location: string | undefined;
  readonly bootId: string | undefined;
  readonly configId: string | undefined;
  /** NEXTBOOTID.UPNP.ORG of `update`: what the boot id will be, without a restart. */
  readonly nextBootId: string | undefined;
}

/** The multicast address and port of SSDP for IPv4 (section 1.1.2). */
export const SSDP_GROUP = '239.255.255.250';
export const SSDP_PORT = 1900;

/**
 * A search for `target`, sent to `host`, which is `address:port`. Devices delay their answers by chance of up to `maxWait` seconds,
 * 1..5 (section 1.3.2).
 */
export function encodeSearch({ target, host, maxWait }: { target: string; host: string; maxWait: number }): Uint8Array {
  const lines = ['M-SEARCH * HTTP/1.1', `HOST: ${host}`, 'MAN: "ssdp:discover"', `MX: ${maxWait}`, `ST: ${target}`];
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
}

/** What a device reads: the ST of a search. Throws `DecodeError` for what is no search. */
export function decodeSearch(bytes: Uint8Array): string {
  const head = decodeDatagram(bytes);
  if (!/^M-SEARCH \* HTTP\/1\.[01]$/.test(head.startLine)) throw new DecodeError('ssdp/start-line');
  if (required(head, 'man') !== '"ssdp:discover"') throw new DecodeError('ssdp/man');
  return required(head, 'st');
}

/** What a device says, to one who searched or, of itself, to all. `maxAge`: seconds for which it can be relied on. */
export function encodeSsdp(message: SsdpMessage, maxAge: number): Uint8Array {
  const { kind, target, usn, location, bootId, configId } = message;
  const isAnswer = kind === 'response';
  const lines = [
    isAnswer ? 'HTTP/1.1 200 OK' : 'NOTIFY * HTTP/1.1',
    isAnswer ? 'EXT:' : `HOST: ${SSDP_GROUP}:${SSDP_PORT}`,
    isAnswer ? `ST: ${target}` : `NT: ${target}`,
    ...(isAnswer ? [] : [`NTS: ssdp:${kind}`]),
    `USN: ${usn}`,
    ...(location === undefined ? [] : [`LOCATION: ${location}`, `CACHE-CONTROL: max-age=${maxAge}`]),
    ...(bootId === undefined ? [] : [`BOOTID.UPNP.ORG: ${bootId}`]),
    ...(configId === undefined ? [] : [`CONFIGID.UPNP.ORG: ${configId}`]),
    ...(isAnswer || message.nextBootId === undefined ? [] : [`NEXTBOOTID.UPNP.ORG: ${message.nextBootId}`]),
    'SERVER: sallyport UPnP/2.0',
  ];
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
}

/** What a control point reads. Throws `DecodeError` for what is none, other people's searches included. */
export function decodeSsdp(bytes: Uint8Array): SsdpMessage {
  const head = decodeDatagram(bytes);
  if (/^HTTP\/1\.[01] 200(?: |$)/.test(head.startLine)) return decodeResponse(head);
  if (/^NOTIFY \* HTTP\/1\.[01]$/.test(head.startLine)) return decodeNotify(head);
  throw new DecodeError('ssdp/start-line');
}

function decodeDatagram(bytes: Uint8Array): MessageHead {
  if (bytes.length > MAX_DATAGRAM) throw new DecodeError('ssdp/length');
  return decodeHead(bytes.subarray(0, findHeadEnd(bytes)?.end ?? trimmedLength(bytes)), 'ssdp');
}

function decodeResponse(head: MessageHead): SsdpResponse {
  return {
    kind: 'response',
    target: required(head, 'st'),
    usn: required(head, 'usn'),
    location: required(head, 'location'),
    ...identifiers(head),
  };
}

function decodeNotify(head: MessageHead): SsdpNotify {
  const kind = NOTIFICATIONS.get(required(head, 'nts').toLowerCase());
  if (kind === undefined) throw new DecodeError('ssdp/nts');
  return {
    kind,
    target: required(head, 'nt'),
    usn: required(head, 'usn'),
    location: kind === 'byebye' ? undefined : required(head, 'location'),
    ...identifiers(head),
    nextBootId: identifier(head, 'nextbootid.upnp.org'),
  };
}

function identifiers(head: MessageHead): Pick<SsdpResponse, 'bootId' | 'configId'> {
  return {
    bootId: identifier(head, 'bootid.upnp.org') ?? identifier(head, '01-nls'),
    configId: identifier(head, 'configid.upnp.org'),
  };
}

/** A field of visible ASCII characters, and blanks between them. */
function required(head: MessageHead, name: string): string {
  const value = head.fields.get(name);
  if (value === undefined || value.length > MAX_VALUE || !/^[\x20-\x7e]+$/.test(value)) {
    throw new DecodeError(`ssdp/${name}`);
  }
  return value;
}

/** Compared, never calculated with; one that is odd counts as absent. */
function identifier(head: MessageHead, name: string): string | undefined {
  const value = head.fields.get(name);
  return value !== undefined && /^[\x21-\x7e]{1,64}$/.test(value) ? value : undefined;
}

/** Some devices forget the empty line at the end. */
function trimmedLength(bytes: Uint8Array): number {
  return latin1(bytes).trimEnd().length;
}

const NOTIFICATIONS: ReadonlyMap<string, SsdpNotify['kind']> = new Map([
  ['ssdp:alive', 'alive'],
  ['ssdp:byebye', 'byebye'],
  ['ssdp:update', 'update'],
]);

const MAX_DATAGRAM = 4096;
const MAX_VALUE = 1024;
