import type { Clock } from '../../../core/clock.ts';
import { DecodeError, TraversalError } from '../../../core/errors.ts';
import type { Network } from '../../../core/network.ts';
import { within } from '../../../core/within.ts';
import {
  decodeDeviceDescription,
  decodeSoapAnswer,
  encodeSoapRequest,
  type GatewayUrl,
  getStatusInfo,
  type HttpRequest,
  isFault,
  MAX_DESCRIPTION,
  MAX_SOAP_ANSWER,
  type SoapAction,
  type WanService,
} from '../../../protocol/upnp/index.ts';
import { type HttpExchange, httpExchange } from './http-exchange.ts';

/** A service of a gateway by which ports are mapped. */
export interface IgdGateway {
  /** Numeric address. */
  readonly address: string;
  readonly service: WanService;
  /** Whether the gateway says that it is on the internet by this service. */
  readonly connected: boolean;
  /** What it named when it answered the search, if it did. */
  readonly bootId: string | undefined;
}

export interface Answer<T> {
  readonly value: T;
  /** Address of this host by which the gateway knows it. */
  readonly local: string;
}

/** Talks to gateways: each request has a connection and a deadline (3 s) of its own. */
export interface GatewayTalk {
  /**
   * Reads the description at `location`, and chooses the service that is connected. Errors: those of {@link GatewayTalk.ask}.
   */
  describe(location: GatewayUrl, signal: AbortSignal): Promise<Omit<IgdGateway, 'bootId'>>;
  /**
   * Invokes an action. Errors: `UpnpFault` (`ERR_MAPPING_REFUSED`, `_CONFLICT`, `_EXHAUSTED`), `ERR_GATEWAY_PROTOCOL` when the answer
   * makes no sense, `ERR_TIMEOUT`, those of `Network.connect`, and what `signal` was aborted with.
   */
  ask<T>(gateway: Pick<IgdGateway, 'service'>, action: SoapAction<T>, signal: AbortSignal): Promise<Answer<T>>;
}

export function createGatewayTalk({ network, clock }: { network: Network; clock: Clock }): GatewayTalk {
  function exchange(request: HttpRequest, maxBody: number, signal: AbortSignal): Promise<HttpExchange> {
    const doing = `asking the gateway ${request.url.href}`;
    return within(clock, doing, REQUEST_TIME, signal, (signal) =>
      sensible(request.url, () => httpExchange(network, request, maxBody, signal)),
    );
  }

  async function ask<T>({ service }: Pick<IgdGateway, 'service'>, action: SoapAction<T>, signal: AbortSignal) {
    const url = service.controlUrl;
    const request = { method: 'POST' as const, url, ...encodeSoapRequest(service.type, action) };
    const { response, local } = await exchange(request, MAX_SOAP_ANSWER, signal);
    return sensible(url, async () => {
      // Refusals come with status 500 (UPnP Device Architecture 2.0 section 3.2.5).
      if (response.status !== 200 && response.status !== 500) throw unexpectedStatus(response.status);
      return { value: decodeSoapAnswer(action, response.body), local };
    });
  }

  /** A gateway that cannot tell is not thought to be connected. */
  async function isConnected(service: WanService, signal: AbortSignal): Promise<boolean> {
    try {
      return (await ask({ service }, getStatusInfo(), signal)).value.connected;
    } catch (error) {
      if (isFault(error, 'InvalidAction', 'ActionFailed', 'OptionalActionNotImplemented')) return false;
      throw error;
    }
  }

  return {
    ask,
    async describe(location, signal) {
      const { response } = await exchange({ method: 'GET', url: location }, MAX_DESCRIPTION, signal);
      const { services } = await sensible(location, async () => {
        if (response.status !== 200) throw unexpectedStatus(response.status);
        return decodeDeviceDescription(response.body, location);
      });
      const candidates = services
        .slice(0, MAX_SERVICES_ASKED)
        .map((service) => ({ address: location.address, service }));
      for (const candidate of candidates) {
        if (await isConnected(candidate.service, signal)) return { ...candidate, connected: true };
      }
      return { ...candidates[0]!, connected: false };
    },
  };
}

/** Says of bytes that make no sense whose they are. */
async function sensible<T>(url: GatewayUrl, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new TraversalError('ERR_GATEWAY_PROTOCOL', `the answer of ${url.href} makes no sense: ${cause.message}`, {
      cause,
    });
  }
}

function unexpectedStatus(status: number): DecodeError {
  return new DecodeError('http/status', String(status));
}

/** Of one request, in ms: slow routers take a second for an answer. */
const REQUEST_TIME = 3_000;

const MAX_SERVICES_ASKED = 4;
