import {
  addAnyPortMapping,
  decodeDeviceDescription,
  decodeSearch,
  decodeSoapAnswer,
  decodeSoapRequest,
  decodeSsdp,
  encodeSearch,
  encodeSoapRequest,
  encodeSsdp,
  gatewayUrl,
  getExternalIpAddress,
  getGenericPortMappingEntry,
  getStatusInfo,
  UpnpFault,
} from '../../../src/protocol/upnp/index.ts';
import { parseXml, type XmlElement } from '../../../src/protocol/upnp/xml.ts';
import {
  descriptionOf,
  entryArguments,
  searchAnswer,
  soapAnswer,
  soapFault,
} from '../../adapters/port-mapper/fake-gateway.ts';
import { mutateMarkup } from '../engine/mutate-markup.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';
const LOCATION = gatewayUrl('http://192.168.1.1:5000/dir/rootDesc.xml', '192.168.1.1')!;

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A datagram at the port of SSDP: one of three kinds, whose texts can be shown to people. */
export const ssdpMessage: Target = {
  name: 'ssdp-message',
  share: 0.5,
  seeds: [
    searchAnswer(SERVICE, LOCATION.href, '18'),
    `NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: ${SERVICE}\r\nNTS: ssdp:alive\r\nUSN: uuid:1\r\nLOCATION: ${LOCATION.href}\r\n01-NLS: 7\r\n\r\n`,
    `NOTIFY * HTTP/1.1\r\nNT: ${SERVICE}\r\nNTS: ssdp:update\r\nUSN: uuid:1\r\nLOCATION: x\r\nNEXTBOOTID.UPNP.ORG: 4\r\n\r\n`,
    `NOTIFY * HTTP/1.1\nNT: ${SERVICE}\nNTS: ssdp:byebye\nUSN:  uuid:1 \t`,
    `HTTP/1.1 200 OK\r\nST: x\r\nUSN: y\r\nLOCATION: z\r\nX:${' \t'.repeat(1500)}y\r\n\r\n`,
  ].map(bytes),
  mutate: mutateText,
  run(input) {
    const decoded = attempt(() => decodeSsdp(input));
    if ('outcome' in decoded) return decoded.outcome;
    const texts = Object.values(decoded.value).filter((value) => value !== undefined);
    must(
      texts.every((text) => /^[\x20-\x7e]{1,1024}$/.test(text)),
      'what is read has visible characters, and not too many',
      () => texts,
    );
    // Fields of one name that are empty leave a blank at the end, which is no part of a value once it is written.
    if (texts.every((text) => text === text.trim())) {
      const again = decodeSsdp(encodeSsdp(decoded.value, 1800));
      mustEqual(again, decoded.value, 'what was read can be written and read again');
    }
    return decoded.value.kind;
  },
};

/** The same datagram as a device reads it. */
export const ssdpSearch: Target = {
  name: 'ssdp-search',
  share: 0.5,
  seeds: [
    encodeSearch({ target: SERVICE, host: '239.255.255.250:1900', maxWait: 1 }),
    bytes('M-SEARCH * HTTP/1.0\nst:ssdp:all\nman:"ssdp:discover"'),
    bytes(`NOTIFY * HTTP/1.1\r\nNT: ${SERVICE}\r\nNTS: ssdp:alive\r\nUSN: uuid:1\r\n\r\n`),
  ],
  mutate: mutateText,
  run(input) {
    const decoded = attempt(() => decodeSearch(input));
    if ('outcome' in decoded) return decoded.outcome;
    must(/^[\x20-\x7e]{1,1024}$/.test(decoded.value), 'a target has visible characters', () => decoded.value);
    return decoded.value.split(':')[0] === 'urn' ? 'a type' : 'another target';
  },
};

/** The XML of a gateway: a tree that is no larger than what it was read from. */
export const xmlDocument: Target = {
  name: 'xml-document',
  share: 0.2,
  seeds: [
    '<?xml version="1.0"?><!-- c --><s:a x="y"><u:b>1 &amp; 2</u:b><b><![CDATA[<x>]]></b><c/></s:a>',
    `<a>${'<b>&#65;&lt;</b>'.repeat(20)}</a>`,
    `${'<a>'.repeat(20)}x${'</a>'.repeat(20)}`,
  ].map(bytes),
  mutate: mutateMarkup,
  run(input) {
    const parsed = attempt(() => parseXml(input, 'xml'));
    if ('outcome' in parsed) return parsed.outcome;
    const { elements, levels, characters } = measure(parsed.value);
    must(elements <= 8192 && levels <= 24, 'a document has bounds', () => [elements, levels]);
    must(characters <= input.length, 'a document does not grow', () => characters);
    return `${levels > 4 ? 'deep' : 'flat'}, ${elements > 1 ? 'several elements' : 'one element'}`;
  },
};

function measure(element: XmlElement): { elements: number; levels: number; characters: number } {
  let [elements, levels, characters] = [1, 1, element.text.length];
  for (const child of element.children.map(measure)) {
    elements += child.elements;
    levels = Math.max(levels, 1 + child.levels);
    characters += child.characters;
  }
  return { elements, levels, characters };
}

/** What is found at a LOCATION: nothing in it leads away from there. */
export const deviceDescription: Target = {
  name: 'device-description',
  share: 0.1,
  seeds: [
    descriptionOf(SERVICE, '/control'),
    descriptionOf(
      'urn:schemas-upnp-org:service:WANPPPConnection:1',
      'ctl',
      '<URLBase>http://192.168.1.1:80/x/</URLBase>',
    ),
    `<root><device><serviceList>${`<service><serviceType>${SERVICE}</serviceType><controlURL>http://192.168.1.1/</controlURL></service>`.repeat(20)}</serviceList></device></root>`,
  ].map(bytes),
  mutate: mutateMarkup,
  run(input) {
    const decoded = attempt(() => decodeDeviceDescription(input, LOCATION));
    if ('outcome' in decoded) return decoded.outcome;
    const { services, friendlyName, manufacturer, modelName } = decoded.value;
    must(services.length >= 1 && services.length <= 16, 'there are services, and not too many', () => services.length);
    for (const { controlUrl } of services) {
      must(controlUrl.address === LOCATION.address, 'a control URL is at the gateway', () => controlUrl);
      must(controlUrl.port === 80 || controlUrl.port >= 1024, 'it is at a port of HTTP', () => controlUrl);
      must(/^\/[\x21-\x7e]*$/.test(controlUrl.path), 'a path can stand in a request', () => controlUrl.path);
      mustEqual(gatewayUrl(controlUrl.href, LOCATION.address), controlUrl, 'a URL that was read can be read again');
    }
    for (const name of [friendlyName, manufacturer, modelName]) {
      must(name.length <= 64 && !/[\p{Cc}\p{Cf}]/u.test(name), 'a name can be shown', () => name);
    }
    return `${services[0]!.type.split(':').at(-2)}, ${services.length > 1 ? 'several' : 'one'}`;
  },
};

const actions = [
  getExternalIpAddress(),
  getStatusInfo(),
  getGenericPortMappingEntry(0),
  addAnyPortMapping({
    protocol: 'udp',
    externalPort: 5000,
    internalClient: '192.168.1.2',
    internalPort: 5000,
    description: 'sallyport',
    lease: 3600,
  }),
];

const entry = entryArguments({
  protocol: 'udp',
  externalPort: 1,
  internalClient: '192.168.1.2',
  internalPort: 80,
  description: 'a &lt;b&gt;',
  lease: 60,
});

/** What a gateway answers to an action: it is read as the answer to each of them, and as a fault it is typed. */
export const soapMessage: Target = {
  name: 'soap-message',
  share: 0.1,
  seeds: [
    soapAnswer('GetExternalIPAddress', SERVICE, { NewExternalIPAddress: '11.0.0.1' }),
    soapAnswer('GetStatusInfo', SERVICE, { NewConnectionStatus: 'Connected' }),
    soapAnswer('GetGenericPortMappingEntry', SERVICE, { NewProtocol: 'UDP', NewExternalPort: '9', ...entry }),
    soapAnswer('AddAnyPortMapping', SERVICE, { NewReservedPort: '50000' }),
    soapFault(718),
    soapFault(606),
  ].map(bytes),
  mutate: mutateMarkup,
  run(input) {
    const outcomes = actions.map((action) => {
      const answered = attempt(() => faultOr(() => decodeSoapAnswer<unknown>(action, input)));
      if ('outcome' in answered) return answered.outcome;
      must(
        !(typeof answered.value === 'number') || (answered.value >= 1 && answered.value <= 65_535),
        'a port is a port',
      );
      return answered.value instanceof UpnpFault ? `fault, ${answered.value.code}` : action.name;
    });
    return [...new Set(outcomes)].join(', ');
  },
};

function faultOr<T>(decode: () => T): T | UpnpFault {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof UpnpFault)) throw error;
    must(error.fault >= 0 && error.fault <= 999, 'a fault is a number of three digits', () => error.fault);
    must(/^[^\p{Cc}\p{Cf}]{1,300}$/u.test(error.message), 'a fault can be shown', () => error.message);
    return error;
  }
}

/** What a gateway is asked: the action that its header says, with arguments. */
export const soapRequest: Target = {
  name: 'soap-request',
  share: 0.1,
  seeds: actions.map((action) => encodeSoapRequest(SERVICE, action).body),
  mutate: mutateMarkup,
  run(input) {
    const outcomes = actions.map((action) => {
      const decoded = attempt(() => decodeSoapRequest(`"${SERVICE}#${action.name}"`, input));
      if ('outcome' in decoded) return decoded.outcome;
      const { args, ...rest } = decoded.value;
      mustEqual(rest, { serviceType: SERVICE, action: action.name }, 'it is the action of the header');
      const longest = Math.max(0, ...[...args.values()].map(({ length }) => length));
      must(longest <= input.length, 'an argument does not grow', () => longest);
      return `${action.name}${args.size > 0 ? ' with arguments' : ''}`;
    });
    return [...new Set(outcomes)].join(', ');
  },
};
