import { DecodeError } from '../../core/errors.ts';
import { UpnpFault } from './fault.ts';
import { printable } from './text.ts';
import { childOf, escapeXml, parseXml, textOf, type XmlElement } from './xml.ts';

/** An action of a service, and how its answer is read (UPnP Device Architecture 2.0 section 3.1). */
export interface SoapAction<T> {
  readonly name: string;
  /** In the order of the service's definition, which some gateways insist on. */
  readonly args: readonly (readonly [name: string, value: string | number])[];
  /** Throws `DecodeError`. */
  readonly read: (answer: SoapAnswer) => T;
}

/** Output arguments. */
export interface SoapAnswer {
  /** `''` when it is absent. */
  text(name: string): string;
  /** Throws `DecodeError` unless it is a whole number of `min`..`max`. */
  integer(name: string, min: number, max: number): number;
}

/** Larger than any honest answer, in bytes. */
export const MAX_SOAP_ANSWER = 64 * 1024;

/** Header fields and body of the POST that invokes an action (section 3.2.1). */
export function encodeSoapRequest(
  serviceType: string,
  { name, args }: SoapAction<unknown>,
): { readonly fields: Readonly<Record<string, string>>; readonly body: Uint8Array } {
  const elements = args.map(([argument, value]) => `<${argument}>${escapeXml(String(value))}</${argument}>`).join('');
  const body =
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">' +
    `<s:Body><u:${name} xmlns:u="${serviceType}">${elements}</u:${name}></s:Body></s:Envelope>`;
  return {
    fields: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${serviceType}#${name}"` },
    body: new TextEncoder().encode(body),
  };
}

/** Reads the answer to an action. Throws `UpnpFault` when it is a refusal, `DecodeError` when it makes no sense. */
export function decodeSoapAnswer<T>({ name, read }: SoapAction<T>, bytes: Uint8Array): T {
  if (bytes.length > MAX_SOAP_ANSWER) throw new DecodeError('upnp/soap/length');
  const envelope = parseXml(bytes, 'upnp/soap');
  const body = childOf(envelope, 'Body');
  if (envelope.name !== 'Envelope' || body === undefined) throw new DecodeError('upnp/soap/body');
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

const MAX_DESCRIPTION_TEXT = 100;
