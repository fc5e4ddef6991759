import { DecodeError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { type GatewayUrl, gatewayUrl } from './gateway-url.ts';
import { childOf, childrenOf, parseXml, textOf, type XmlElement } from './xml.ts';

/** What a device description (UPnP Device Architecture 2.0 section 2.3) tells of an internet gateway. */
export interface DeviceDescription {
  /** For people. */
  readonly friendlyName: string;
  readonly manufacturer: string;
  readonly modelName: string;
  /** In document order, at most 16. */
  readonly services: readonly WanService[];
}

/** A service by which ports can be mapped. */
export interface WanService {
  /** Its whole type, such as `urn:schemas-upnp-org:service:WANIPConnection:1`. */
  readonly type: string;
  /** WANIPConnection 2 knows AddAnyPortMapping and has no leases without end; WANPPPConnection has version 1 only. */
  readonly version: 1 | 2;
  readonly controlUrl: GatewayUrl;
}

/** Types of device and service by which to search for a gateway; a device answers for lower versions of its own too. */
export const SEARCH_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;

/** Whether a type of SSDP (ST or NT) is that of a gateway or of its connection, whatever the version. */
export function isGatewayType(type: string): boolean {
  return /^urn:schemas-upnp-org:(device:InternetGatewayDevice|service:WAN(IP|PPP)Connection):\d{1,3}$/.test(type);
}

/** Of a type of service by which ports can be mapped, as {@link WanService.version} means it. */
export function wanServiceVersion(type: string): WanService['version'] {
  return type.endsWith('WANIPConnection:2') ? 2 : 1;
}

/** Larger than any honest description, in bytes. */
export const MAX_DESCRIPTION = 256 * 1024;

/**
 * Reads the description that was found at `location`. Services whose control URL is not at the same address are left out.
 * Throws `DecodeError` when it is no description, or when there is no service in it by which ports can be mapped.
 */
export function decodeDeviceDescription(bytes: Uint8Array, location: GatewayUrl): DeviceDescription {
  if (bytes.length > MAX_DESCRIPTION) throw new DecodeError('upnp/description/length');
  const root = parseXml(bytes, 'upnp/description');
  const device = childOf(root, 'device');
  if (root.name !== 'root' || device === undefined) throw new DecodeError('upnp/description/device');
  const connections = servicesOf(device, MAX_DEVICE_LEVELS).filter((service) => WAN_SERVICE.test(typeOf(service)));
  if (connections.length === 0) throw new DecodeError('upnp/description/services', 'none that maps ports');
  // URLBase is of UPnP Device Architecture 1.0; later versions resolve against the location.
  const base = textOf(root, 'URLBase') || location.href;
  const services = connections.flatMap((service) => wanService(service, location.address, base));
  if (services.length === 0) throw new DecodeError('upnp/description/control-url', 'it leads away from the gateway');
  return {
    friendlyName: printable(textOf(device, 'friendlyName'), MAX_NAME),
    manufacturer: printable(textOf(device, 'manufacturer'), MAX_NAME),
    modelName: printable(textOf(device, 'modelName'), MAX_NAME),
    services: services.slice(0, MAX_SERVICES),
  };
}

/** Services of a device and of those that are embedded in it. */
function servicesOf(device: XmlElement, levels: number): readonly XmlElement[] {
  if (levels === 0) return [];
  return [
    ...listOf(device, 'serviceList', 'service'),
    ...listOf(device, 'deviceList', 'device').flatMap((embedded) => servicesOf(embedded, levels - 1)),
  ];
}

function listOf(device: XmlElement, list: string, item: string): readonly XmlElement[] {
  return childrenOf(device, list).flatMap((element) => childrenOf(element, item));
}

function typeOf(service: XmlElement): string {
  return textOf(service, 'serviceType');
}

function wanService(service: XmlElement, address: string, base: string): WanService[] {
  const controlUrl = gatewayUrl(textOf(service, 'controlURL'), address, base);
  const type = typeOf(service);
  return controlUrl === undefined ? [] : [{ type, version: wanServiceVersion(type), controlUrl }];
}

const WAN_SERVICE = /^urn:schemas-upnp-org:service:(WANIPConnection:[12]|WANPPPConnection:1)$/;

/** InternetGatewayDevice, WANDevice and WANConnectionDevice are three. */
const MAX_DEVICE_LEVELS = 6;
const MAX_SERVICES = 16;
const MAX_NAME = 64;
