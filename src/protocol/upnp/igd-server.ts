import { DecodeError } from '../../core/errors.ts';
import type { ReceivedRequest } from './http-request.ts';
import { encodeHttpResponse } from './http-response.ts';
import { encodeIgdDescription, type IgdIdentity, igdTypes } from './igd-description.ts';
import { decodeSoapRequest, encodeSoapAnswer, encodeSoapFault, SOAP_CONTENT } from './soap.ts';
import { createWanConnectionServer, type WanConnectionServerOptions } from './wan-connection-server.ts';

/** What an Internet Gateway Device answers over HTTP: its description, and the actions of its service. */
export interface IgdServer {
  /** The whole response. `client`: the numeric IPv4 address of who asks; `now` in ms. Never throws. */
  answer(request: ReceivedRequest, client: string, now: number): Uint8Array;
}

export interface IgdServerOptions extends Omit<WanConnectionServerOptions, 'version'> {
  readonly identity: IgdIdentity;
}

/** Path of the description. */
export const IGD_DESCRIPTION_PATH = '/rootDesc.xml';

export function createIgdServer({ identity, ...options }: IgdServerOptions): IgdServer {
  const { version } = identity;
  const service = createWanConnectionServer({ ...options, version });
  const description = encodeIgdDescription(identity, CONTROL_PATH);

  function control({ fields, body }: ReceivedRequest, client: string, now: number): Uint8Array {
    const request = decodeSoapRequest(fields.get('soapaction'), body);
    const outcome = isServed(request.serviceType) ? service.perform(request, client, now) : 'InvalidAction';
    return typeof outcome === 'string'
      ? encodeHttpResponse({ status: 500, body: encodeSoapFault(outcome) }, SOAP_CONTENT)
      : encodeHttpResponse({ status: 200, body: encodeSoapAnswer(request, outcome) }, SOAP_CONTENT);
  }

  /** A service answers to its lower versions too. */
  function isServed(serviceType: string): boolean {
    return serviceType === igdTypes(1).service || serviceType === igdTypes(version).service;
  }

  return {
    answer(request, client, now) {
      const method = METHODS.get(request.path);
      if (method === undefined) return refuse(404);
      if (request.method !== method) return refuse(405);
      if (method === 'GET') return encodeHttpResponse({ status: 200, body: description }, 'text/xml');
      try {
        return control(request, client, now);
      } catch (error) {
        if (error instanceof DecodeError) return refuse(400);
        throw error;
      }
    },
  };
}

/** The response to what is no request that can be answered. */
export function refuse(status: 400 | 404 | 405): Uint8Array {
  return encodeHttpResponse({ status, body: new Uint8Array(0) }, 'text/plain');
}

const CONTROL_PATH = '/ctl/IPConn';

const METHODS: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  [IGD_DESCRIPTION_PATH, 'GET'],
  [CONTROL_PATH, 'POST'],
]);
