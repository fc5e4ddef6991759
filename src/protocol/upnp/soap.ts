import { DecodeError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { FAULTS, type FaultName, UpnpFault } from './fault.ts';
import { childOf, element, parseXml, textElement, textOf, type XmlElement } from './xml.ts';

/** An action of a service, and how its answer is read (UPnP Device Architecture 2.0 section 3.1). */
export interface SoapAction<T> {
  readonly name: string;
  /** In the order of the service's definition, which some gateways insist on. */
  readonly args: SoapArguments;
  /** Throws `DecodeError`. */
  readonly read: (answer: SoapAnswer) => T;
}

export type SoapArguments = readonly (readonly [name: string, value: string | number])[];

/** Output arguments. */
export interface SoapAnswer {
  /** `''` when it is absent. */
  text(name: string): string;
  /** Throws `DecodeError` unless it is a whole number of `min`..`max`. */
  integer(name: string, min: number, max: number): number;
}

/** Larger than any honest answer, and than any honest request, in bytes. */
export const MAX_SOAP_ANSWER = 64 * 1024;
export const MAX_SOAP_REQUEST = 8 * 1024;

/** Header fields and body of the POST that invokes an action (section 3.2.1). */
export function encodeSoapRequest(
  serviceType: string,
  { name, args }: SoapAction<unknown>,
): { readonly fields: Readonly<Record<string, string>>; readonly body: Uint8Array } {
  return {
    fields: { 'Content-Type': SOAP_CONTENT, SOAPAction: `"${serviceType}#${name}"` },
    body: envelope(`<u:${name} xmlns:u="${serviceType}">${elements(args)}</u:${name}>`),
  };
}

/** An action as a gateway is asked for it. */
export interface SoapRequest {
  readonly serviceType: string;
  readonly action: string;
  /** Input arguments by their names. */
  readonly args: ReadonlyMap<string, string>;
}

/** Reads the POST that invokes an action; `soapAction` is its header field. Throws `DecodeError`. */
export function decodeSoapRequest(soapAction: string | undefined, bytes: Uint8Array): SoapRequest {
  const [, serviceType, action] = SOAP_ACTION.exec(soapAction ?? '') ?? [];
  if (serviceType === undefined || action === undefined) throw new DecodeError('upnp/soap/action');
  if (bytes.length > MAX_SOAP_REQUEST) throw new DecodeError('upnp/soap/length');
  const request = childOf(bodyOf(parseXml(bytes, 'upnp/soap')), action);
  if (request === undefined) throw new DecodeError('upnp/soap/request', `no ${action}`);
  return { serviceType, action, args: new Map(request.children.map(({ name, text }) => [name, text])) };
}

/** The body of a successful answer (section 3.2.4). */
export function encodeSoapAnswer({ serviceType, action }: Omit<SoapRequest, 'args'>, args: SoapArguments): Uint8Array {
  return envelope(`<u:${action}Response xmlns:u="${serviceType}">${elements(args)}</u:${action}Response>`);
}

/** The body of a refusal, which goes with HTTP status 500 (section 3.2.5). */
export function encodeSoapFault(fault: FaultName): Uint8Array {
  const code = `${textElement('errorCode', String(FAULTS[fault]))}${textElement('errorDescription', fault)}`;
  const detail = element('detail', `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0">${code}</UPnPError>`);
  return envelope(
    element('s:Fault', textElement('faultcode', 's:Client'), textElement('faultstring', 'UPnPError'), detail),
  );
}

/** Reads the answer to an action. Throws `UpnpFault` when it is a refusal, `DecodeError` when it makes no sense. */
export function decodeSoapAnswer<T>({ name, read }: SoapAction<T>, bytes: Uint8Array): T {
  if (bytes.length > MAX_SOAP_ANSWER) throw new DecodeError('upnp/soap/length');
  const body = bodyOf(parseXml(bytes, 'upnp/soap'));
  const fault = childOf(body, 'Fault');
  if (fault !== undefined) throw decodeFault(name, fault);
  const answer = childOf(body, `${name}Response`);
  if (answer === undefined) throw new DecodeError('upnp/soap/response', `no ${name}Response`);
  return read(soapAnswer((argument) => textOf(answer, argument)));
}

/** Output arguments by what gives their text, `''` for one that is absent. */
export function soapAnswer(text: (name: string) => string): SoapAnswer {
  return {
    text,
    integer(name, min, max) {
      const value = text(name);
      if (!/^\d{1,10}$/.test(value) || Number(value) < min || Number(value) > max) {
        throw new DecodeError(`upnp/soap/${name}`, `not a number of ${min}..${max}`);
      }
      return Number(value);
    },
  };
}

/** Section 3.2.5: what matters of a fault is the UPnPError in its detail. */
function decodeFault(action: string, fault: XmlElement): UpnpFault {
  const detail = childOf(fault, 'detail');
  const error = detail && childOf(detail, 'UPnPError');
  const code = /^\d{3}$/.exec(error === undefined ? '' : textOf(error, 'errorCode'))?.[0];
  if (error === undefined || code === undefined) throw new DecodeError('upnp/soap/fault');
  return new UpnpFault(action, Number(code), printable(textOf(error, 'errorDescription'), MAX_DESCRIPTION_TEXT));
}

function bodyOf(envelope: XmlElement): XmlElement {
  const body = childOf(envelope, 'Body');
  if (envelope.name !== 'Envelope' || body === undefined) throw new DecodeError('upnp/soap/body');
  return body;
}

function elements(args: SoapArguments): string {
  return args.map(([name, value]) => textElement(name, String(value))).join('');
}

function envelope(body: string): Uint8Array {
  return new TextEncoder().encode(
    '<?xml version="1.0"?>\r\n' +
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">' +
      `<s:Body>${body}</s:Body></s:Envelope>`,
  );
}

export const SOAP_CONTENT = 'text/xml; charset="utf-8"';

/** `"type of the service#action"`; some clients leave the quotation marks out. */
const SOAP_ACTION = /^"?([!-~]{1,128})#(\w{1,64})"?$/;
const MAX_DESCRIPTION_TEXT = 100;
