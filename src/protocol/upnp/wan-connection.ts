import type { MappingProtocol } from '../../core/port-mapper.ts';
import { printable } from '../../core/printable.ts';
import type { SoapAction, SoapAnswer } from './soap.ts';

/** One mapping of a gateway's table, from any remote host. */
export interface PortMappingEntry {
  readonly protocol: MappingProtocol;
  readonly externalPort: number;
  /** Mostly a numeric address, but gateways may say a host's name. */
  readonly internalClient: string;
  readonly internalPort: number;
  readonly description: string;
  readonly enabled: boolean;
  /** Seconds: asked for, or left; 0 is for ever in version 1, and the longest possible in version 2. */
  readonly lease: number;
}

/** What {@link addPortMapping} asks for; the entry is always enabled. */
export type PortMappingWish = Omit<PortMappingEntry, 'enabled'>;

/** Which mapping is meant, for all remote hosts. */
export type PortMappingKey = Pick<PortMappingEntry, 'protocol' | 'externalPort'>;

export interface ConnectionStatus {
  /** Whether the gateway itself is on the internet. */
  readonly connected: boolean;
  /** Its own word, such as `Connected` or `Disconnected`. */
  readonly status: string;
}

/** The longest PortMappingLeaseDuration of WANIPConnection:2, in seconds: a week. */
export const LONGEST_LEASE = 604_800;

/** WANIPConnection:1 section 2.4.16. An entry of the same internal client is overwritten. */
export function addPortMapping(wish: PortMappingWish): SoapAction<void> {
  return { name: 'AddPortMapping', args: wishArguments(wish), read: () => undefined };
}

/** WANIPConnection:2; gives the external port, another one when the wished one is taken. */
export function addAnyPortMapping(wish: PortMappingWish): SoapAction<number> {
  return {
    name: 'AddAnyPortMapping',
    args: wishArguments(wish),
    read: (answer) => answer.integer('NewReservedPort', 1, 65535),
  };
}

/** WANIPConnection:1 section 2.4.17. */
export function deletePortMapping(key: PortMappingKey): SoapAction<void> {
  return { name: 'DeletePortMapping', args: keyArguments(key), read: () => undefined };
}

/** WANIPConnection:1 section 2.4.14; `index` counts from 0, fault 713 is the end of the table. */
export function getGenericPortMappingEntry(index: number): SoapAction<PortMappingEntry> {
  return {
    name: 'GetGenericPortMappingEntry',
    args: [['NewPortMappingIndex', index]],
    read: (answer) => readEntry(answer, readKey(answer)),
  };
}

/** WANIPConnection:1 section 2.4.15; fault 714 says that there is none. */
export function getSpecificPortMappingEntry(key: PortMappingKey): SoapAction<PortMappingEntry> {
  return {
    name: 'GetSpecificPortMappingEntry',
    args: keyArguments(key),
    read: (answer) => readEntry(answer, key),
  };
}

/** WANIPConnection:1 section 2.4.18; the text as it is, `''` when the gateway has no address. */
export function getExternalIpAddress(): SoapAction<string> {
  return { name: 'GetExternalIPAddress', args: [], read: (answer) => answer.text('NewExternalIPAddress') };
}

/** WANIPConnection:1 section 2.4.9. */
export function getStatusInfo(): SoapAction<ConnectionStatus> {
  return {
    name: 'GetStatusInfo',
    args: [],
    read(answer) {
      const status = printable(answer.text('NewConnectionStatus'), MAX_TEXT);
      return { connected: /^(connected|up)$/i.test(status), status };
    },
  };
}

function keyArguments({ externalPort, protocol }: PortMappingKey): SoapAction<unknown>['args'] {
  return [
    ['NewRemoteHost', ''],
    ['NewExternalPort', externalPort],
    ['NewProtocol', protocol.toUpperCase()],
  ];
}

function wishArguments(wish: PortMappingWish): SoapAction<unknown>['args'] {
  return [
    ...keyArguments(wish),
    ['NewInternalPort', wish.internalPort],
    ['NewInternalClient', wish.internalClient],
    ['NewEnabled', 1],
    ['NewPortMappingDescription', wish.description],
    ['NewLeaseDuration', wish.lease],
  ];
}

function readKey(answer: SoapAnswer): PortMappingKey {
  return {
    protocol: answer.text('NewProtocol').toUpperCase() === 'UDP' ? 'udp' : 'tcp',
    externalPort: answer.integer('NewExternalPort', 0, 65535),
  };
}

function readEntry(answer: SoapAnswer, key: PortMappingKey): PortMappingEntry {
  return {
    protocol: key.protocol,
    externalPort: key.externalPort,
    internalClient: printable(answer.text('NewInternalClient'), MAX_TEXT),
    internalPort: answer.integer('NewInternalPort', 0, 65535),
    description: printable(answer.text('NewPortMappingDescription'), MAX_TEXT),
    enabled: answer.text('NewEnabled') !== '0',
    // Gateways without leases leave it out.
    lease: answer.text('NewLeaseDuration') === '' ? 0 : answer.integer('NewLeaseDuration', 0, 2 ** 32 - 1),
  };
}

const MAX_TEXT = 256;
