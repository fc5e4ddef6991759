import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/core/errors.ts';
import {
  addAnyPortMapping,
  addPortMapping,
  decodeSoapAnswer,
  deletePortMapping,
  encodeSoapRequest,
  FAULTS,
  getExternalIpAddress,
  getGenericPortMappingEntry,
  getSpecificPortMappingEntry,
  getStatusInfo,
  isFault,
  UpnpFault,
} from '../../../src/protocol/upnp/index.ts';
import { soapAnswer, soapFault } from '../../adapters/port-mapper/fake-gateway.ts';

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';
const WISH = {
  protocol: 'tcp',
  externalPort: 8080,
  internalClient: '192.168.1.2',
  internalPort: 80,
  description: 'a <&> "b"',
  lease: 3600,
} as const;
const ENTRY = {
  NewInternalPort: '80',
  NewInternalClient: '192.168.1.2',
  NewEnabled: '1',
  NewPortMappingDescription: 'x &lt;y&gt;',
  NewLeaseDuration: '60',
};

describe('a request', () => {
  it('names its action in the header and in the body, with the arguments in their order', () => {
    const { fields, body } = encodeSoapRequest(SERVICE, addPortMapping(WISH));
    expect(fields).toEqual({ 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${SERVICE}#AddPortMapping"` });
    expect(Buffer.from(body).toString()).toBe(
      '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
        `<u:AddPortMapping xmlns:u="${SERVICE}"><NewRemoteHost></NewRemoteHost><NewExternalPort>8080</NewExternalPort>` +
        '<NewProtocol>TCP</NewProtocol><NewInternalPort>80</NewInternalPort><NewInternalClient>192.168.1.2</NewInternalClient>' +
        '<NewEnabled>1</NewEnabled><NewPortMappingDescription>a &#60;&#38;&#62; "b"</NewPortMappingDescription>' +
        '<NewLeaseDuration>3600</NewLeaseDuration></u:AddPortMapping></s:Body></s:Envelope>',
    );
  });

  it.each([
    [addAnyPortMapping(WISH), 'AddAnyPortMapping', 8],
    [deletePortMapping(WISH), 'DeletePortMapping', 3],
    [getSpecificPortMappingEntry(WISH), 'GetSpecificPortMappingEntry', 3],
    [getGenericPortMappingEntry(0), 'GetGenericPortMappingEntry', 1],
    [getExternalIpAddress(), 'GetExternalIPAddress', 0],
    [getStatusInfo(), 'GetStatusInfo', 0],
  ])('of %o has its arguments', ({ name, args }, expected, count) => {
    expect(name).toBe(expected);
    expect(args).toHaveLength(count);
  });
});

describe('an answer', () => {
  const answer = (name: string, args: Record<string, string>): Uint8Array =>
    Buffer.from(soapAnswer(name, SERVICE, args));

  it('tells a mapping', () => {
    expect(decodeSoapAnswer(getSpecificPortMappingEntry(WISH), answer('GetSpecificPortMappingEntry', ENTRY))).toEqual({
      protocol: 'tcp',
      externalPort: 8080,
      internalClient: '192.168.1.2',
      internalPort: 80,
      description: 'x <y>',
      enabled: true,
      lease: 60,
    });
    const listed = { ...ENTRY, NewProtocol: 'udp', NewExternalPort: '9', NewEnabled: '0', NewLeaseDuration: '' };
    expect(decodeSoapAnswer(getGenericPortMappingEntry(3), answer('GetGenericPortMappingEntry', listed))).toMatchObject(
      {
        protocol: 'udp',
        externalPort: 9,
        enabled: false,
        lease: 0,
      },
    );
  });

  it('tells the address, the state and the port', () => {
    const address = answer('GetExternalIPAddress', { NewExternalIPAddress: '11.0.0.1' });
    expect(decodeSoapAnswer(getExternalIpAddress(), address)).toBe('11.0.0.1');
    for (const [status, connected] of [
      ['Connected', true],
      ['Up', true],
      ['Disconnected', false],
      ['', false],
    ] as const) {
      const info = answer('GetStatusInfo', { NewConnectionStatus: status });
      expect(decodeSoapAnswer(getStatusInfo(), info)).toEqual({ connected, status });
    }
    const port = answer('AddAnyPortMapping', { NewReservedPort: '50000' });
    expect(decodeSoapAnswer(addAnyPortMapping(WISH), port)).toBe(50_000);
  });

  it.each(['', '0', '65536', '-1', '8e3', ' x', '99999999999'])('does not tell a port by "%s"', (port) => {
    const wrong = answer('AddAnyPortMapping', { NewReservedPort: port });
    expect(() => decodeSoapAnswer(addAnyPortMapping(WISH), wrong)).toThrow(DecodeError);
  });

  it.each([
    ['nothing', ''],
    ['another document', '<html><body/></html>'],
    ['an empty body', '<Envelope><Body/></Envelope>'],
    ['that of another action', soapAnswer('GetStatusInfo', SERVICE, {})],
    ['a fault without a code', '<Envelope><Body><Fault><faultcode>s:Client</faultcode></Fault></Body></Envelope>'],
    ['a fault by a word', soapFault(Number.NaN)],
    ['too long', ' '.repeat(65 * 1024)],
  ])('is none when it is %s', (_what, text) => {
    expect(() => decodeSoapAnswer(getExternalIpAddress(), Buffer.from(text))).toThrow(DecodeError);
  });
});

describe('a fault', () => {
  const refusal = (code: number): unknown => {
    try {
      return decodeSoapAnswer(addPortMapping(WISH), Buffer.from(soapFault(code)));
    } catch (error) {
      return error;
    }
  };

  it.each([
    ...[718, 729].map((fault) => [fault, 'ERR_MAPPING_CONFLICT'] as const),
    ...[603, 728].map((fault) => [fault, 'ERR_MAPPING_EXHAUSTED'] as const),
    ...[401, 402, 501, 606, 713, 714, 715, 716, 724, 725, 726, 727, 732, 733, 899].map(
      (fault) => [fault, 'ERR_MAPPING_REFUSED'] as const,
    ),
  ])('%d is %s', (fault, code) => {
    expect(refusal(fault)).toBeInstanceOf(UpnpFault);
    expect(refusal(fault)).toMatchObject({ fault, code });
  });

  it('is told apart by its name, and says it', () => {
    for (const name of Object.keys(FAULTS) as (keyof typeof FAULTS)[]) {
      const error = refusal(FAULTS[name]);
      expect(isFault(error, name)).toBe(true);
      expect(isFault(error, name === 'InvalidAction' ? 'InvalidArgs' : 'InvalidAction')).toBe(false);
      expect(String(error)).toContain(`AddPortMapping: ${FAULTS[name]} ${name}`);
    }
    expect(isFault(new Error('718'), 'ConflictInMappingEntry')).toBe(false);
  });
});
