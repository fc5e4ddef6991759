import { element, textElement } from './xml.ts';

/** What an Internet Gateway Device is, by its own word. */
export interface IgdIdentity {
  /** Of the device and its connection service. */
  readonly version: 1 | 2;
  /** One for each of its three devices, the outermost first (UPnP Device Architecture 2.0 section 1.1.4). */
  readonly uuids: readonly [string, string, string];
  readonly friendlyName: string;
  readonly manufacturer: string;
  readonly modelName: string;
}

/** The types of its devices, each in the one before, and of the service by which ports are mapped. */
export function igdTypes(version: IgdIdentity['version']): {
  readonly devices: readonly [string, string, string];
  readonly service: string;
} {
  const device = (name: string): string => `urn:schemas-upnp-org:device:${name}:${version}`;
  return {
    devices: [device('InternetGatewayDevice'), device('WANDevice'), device('WANConnectionDevice')],
    service: `urn:schemas-upnp-org:service:WANIPConnection:${version}`,
  };
}

/**
 * The description of a gateway whose service is asked at `controlUrl` (UPnP Device Architecture 2.0 section 2.3). The service sends
 * no events and does not describe itself.
 */
export function encodeIgdDescription(identity: IgdIdentity, controlUrl: string): Uint8Array {
  const { devices, service } = igdTypes(identity.version);
  const connection = element(
    'service',
    textElement('serviceType', service),
    textElement('serviceId', 'urn:upnp-org:serviceId:WANIPConn1'),
    textElement('controlURL', controlUrl),
    textElement('eventSubURL', ''),
    textElement('SCPDURL', ''),
  );
  const device = (type: string, i: number, content: string): string =>
    element(
      'device',
      textElement('deviceType', type),
      textElement('friendlyName', identity.friendlyName),
      textElement('manufacturer', identity.manufacturer),
      textElement('modelName', identity.modelName),
      textElement('UDN', `uuid:${identity.uuids[i]}`),
      content,
    );
  const [root, wan, wanConnection] = devices;
  const innermost = device(wanConnection, 2, element('serviceList', connection));
  const middle = device(wan, 1, element('deviceList', innermost));
  const outermost = device(root, 0, element('deviceList', middle));
  const version = element('specVersion', textElement('major', '1'), textElement('minor', '1'));
  return new TextEncoder().encode(
    `<?xml version="1.0"?>\r\n<root xmlns="urn:schemas-upnp-org:device-1-0">${version}${outermost}</root>`,
  );
}
