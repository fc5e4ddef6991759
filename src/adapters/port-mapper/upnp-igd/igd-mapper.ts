import { type ErrorCode, TraversalError } from '../../../core/errors.ts';
import type { Mapping, PortMapper, PortMapperEnvironment } from '../../../core/port-mapper.ts';
import { within } from '../../../core/within.ts';
import {
  gatewayUrl,
  getExternalIpAddress,
  isGatewayType,
  type SoapAction,
  wanServiceVersion,
} from '../../../protocol/upnp/index.ts';
import { createCalls } from '../calls.ts';
import { requireOwn } from '../conduct.ts';
import { type AskGateway, endLease, type Lease, type LeaseWish, leasePort } from '../upnp/port-lease.ts';
import { createTakeBack } from '../upnp/take-back.ts';
import {
  listMappings,
  readExternalAddress,
  upnpMapping,
  wasLost,
  wishOfMapping,
  wishOfRequest,
} from '../upnp/upnp-mapping.ts';
import { findGateway } from './find-gateway.ts';
import { createGatewayWatch } from './gateway-watch.ts';
import { createGatewayTalk, type IgdGateway } from './igd-gateway.ts';

/** `timeout` of each call in ms. */
export function createIgdMapper(environment: PortMapperEnvironment, timeout: number): PortMapper {
  const { clock, random, log } = environment;
  const talk = createGatewayTalk(environment);
  const watch = createGatewayWatch(environment);
  const calls = createCalls(NAME);
  const takeBack = createTakeBack(environment);
  let current: IgdGateway | undefined;
  let finding: Promise<IgdGateway> | undefined;

  function run<T>(
    doing: string,
    time: number,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return calls.run(signal, (stop) => within(clock, doing, time, stop, work));
  }

  /** One search at a time, whoever waits for it. It goes on when they give up, for the next one. */
  function find(): Promise<IgdGateway> {
    finding ??= run('searching for a gateway', FIND_TIME, undefined, (signal) => findGateway(environment, talk, signal))
      .then((gateway) => {
        current = gateway;
        watch.answered(gateway.address, gateway.bootId);
        return gateway;
      })
      .finally(() => {
        finding = undefined;
      });
    return finding;
  }

  /** Works with the gateway that is known, and where that one does not answer any more, once with the one that is found then. */
  async function withGateway<T>(
    known: IgdGateway | undefined,
    signal: AbortSignal,
    work: (gateway: IgdGateway, ask: AskGateway) => Promise<T>,
  ): Promise<T> {
    const attempt = (gateway: IgdGateway): Promise<T> => work(gateway, asking(gateway, signal));
    if (known === undefined) return attempt(await find());
    try {
      return await attempt(known);
    } catch (error) {
      if (signal.aborted || !(error instanceof TraversalError) || !LOST.has(error.code)) throw error;
      log('upnp.gateway-lost', { gateway: known.address, code: error.code });
      if (current === known) current = undefined;
      return attempt(await find());
    }
  }

  function asking(gateway: IgdGateway, signal: AbortSignal): AskGateway {
    return async <T>(action: SoapAction<T>) => (await talk.ask(gateway, action, signal)).value;
  }

  /** Makes or renews. `wishOf` is told the address of this host that the gateway knows, `onAsk` each port that is asked for. */
  async function establish(
    known: IgdGateway | undefined,
    wishOf: (local: string) => LeaseWish,
    signal: AbortSignal,
    onAsk: (gateway: IgdGateway, wish: LeaseWish) => void = () => {},
  ): Promise<{ mapping: Mapping; lease: Lease }> {
    return withGateway(known, signal, async (gateway, ask) => {
      const { value, local } = await talk.ask(gateway, getExternalIpAddress(), signal);
      const externalAddress = readExternalAddress(value);
      const wish = wishOf(local);
      const lease = await leasePort(wish, {
        ask,
        version: gateway.service.version,
        random,
        onAsk: (externalPort) => onAsk(gateway, { ...wish, externalPort }),
      });
      await watch.watch(gateway.address, local, gateway.bootId);
      const { controlUrl, type } = gateway.service;
      const notes = { controlUrl: controlUrl.href, service: type };
      const leased = { via: NAME, gateway: gateway.address, wish, lease, externalAddress, notes } as const;
      return { mapping: upnpMapping(leased, environment), lease };
    });
  }

  /** Makes a mapping, or has begun to take back what it asked for. */
  async function make(wishOf: (local: string) => LeaseWish, outer: AbortSignal): Promise<Mapping> {
    const asked: (readonly [IgdGateway, LeaseWish])[] = [];
    try {
      return await within(clock, 'mapping a port by UPnP', timeout, outer, async (signal) => {
        const made = await establish(current, wishOf, signal, (gateway, wish) => asked.push([gateway, wish]));
        return made.mapping;
      });
    } catch (error) {
      for (const [gateway, wish] of asked) {
        takeBack.start(wish, TAKE_BACK_TIME, (signal) => endLease(asking(gateway, signal), wish));
      }
      throw error;
    }
  }

  function knownFor(mapping: Mapping): IgdGateway | undefined {
    return current?.address === mapping.gateway ? current : gatewayOfMapping(mapping);
  }

  return {
    name: NAME,
    restarts$: watch.restarts$,

    async map(request, { signal } = {}) {
      const wishOf = wishOfRequest(request);
      return calls.run(signal, (stop) => make(wishOf, stop));
    },

    async renew(mapping, { signal } = {}) {
      requireOwn(mapping, NAME);
      return run('renewing a mapping by UPnP', timeout, signal, async (signal) => {
        const wish = wishOfMapping(mapping);
        const renewal = await establish(knownFor(mapping), () => wish, signal);
        if (wasLost(mapping, renewal.lease)) watch.restarted(mapping.gateway);
        return renewal.mapping;
      });
    },

    async release(mapping, { signal } = {}) {
      requireOwn(mapping, NAME);
      await run('removing a mapping by UPnP', timeout, signal, (signal) =>
        withGateway(knownFor(mapping), signal, (_gateway, ask) => endLease(ask, wishOfMapping(mapping))),
      );
    },

    async list({ signal } = {}) {
      return run('listing mappings by UPnP', timeout, signal, (signal) =>
        withGateway(current, signal, (_gateway, ask) => listMappings(ask)),
      );
    },

    async close() {
      watch.close();
      await calls.close();
      await takeBack.settled();
    },
  };
}

/** The gateway of a mapping as it was then; `undefined` when the handle makes no sense. */
function gatewayOfMapping({ gateway: address, handle }: Mapping): IgdGateway | undefined {
  const controlUrl = gatewayUrl(String(handle.controlUrl), address);
  const type = String(handle.service);
  if (controlUrl === undefined || !isGatewayType(type)) return undefined;
  return {
    address,
    service: { type, version: wanServiceVersion(type), controlUrl },
    connected: true,
    bootId: undefined,
  };
}

const NAME = 'upnp-igd';

/** ms: the search and the descriptions of what it finds. */
const FIND_TIME = 6_000;
const TAKE_BACK_TIME = 2_000;

/** What a gateway answers that is not there any more, or is there at another port since it started anew. */
const LOST: ReadonlySet<ErrorCode> = new Set([
  'ERR_CONNECTION_REFUSED',
  'ERR_CONNECTION_RESET',
  'ERR_GATEWAY_PROTOCOL',
  'ERR_NETWORK',
  'ERR_TIMEOUT',
]);
