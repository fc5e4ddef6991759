import { TraversalError } from '../../../core/errors.ts';
import { parseIp } from '../../../core/ip-address.ts';
import type { Mapping, PortMapper, PortMapperEnvironment } from '../../../core/port-mapper.ts';
import { within } from '../../../core/within.ts';
import { getExternalIpAddress, wanServiceVersion } from '../../../protocol/upnp/index.ts';
import { createCalls } from '../calls.ts';
import { requireOwn } from '../conduct.ts';
import { createRestarts } from '../restarts.ts';
import { endLease, type Lease, type LeaseWish, leasePort } from '../upnp/port-lease.ts';
import { createTakeBack } from '../upnp/take-back.ts';
import {
  listMappings,
  readExternalAddress,
  upnpMapping,
  wasLost,
  wishOfMapping,
  wishOfRequest,
} from '../upnp/upnp-mapping.ts';
import { type FoundByNatUpnp, type NatUpnpSession, openNatUpnpSession } from './natupnp-session.ts';

export interface NatUpnpMapperOptions {
  /** Of each call, in ms. */
  readonly timeout: number;
  /** What to import as nat-upnp. */
  readonly module: string;
}

export function createNatUpnpMapper(environment: PortMapperEnvironment, options: NatUpnpMapperOptions): PortMapper {
  const { clock, random } = environment;
  const calls = createCalls(NAME);
  const restarts = createRestarts(clock);
  const takeBack = createTakeBack(environment);

  /** Each call has a thread, which ends with it. */
  function run<T>(
    doing: string,
    signal: AbortSignal | undefined,
    work: (session: NatUpnpSession, found: FoundByNatUpnp) => Promise<T>,
  ): Promise<T> {
    return calls.run(signal, (stop) => inSession(doing, options.timeout, stop, work));
  }

  async function inSession<T>(
    doing: string,
    time: number,
    signal: AbortSignal,
    work: (session: NatUpnpSession, found: FoundByNatUpnp) => Promise<T>,
  ): Promise<T> {
    const session = openNatUpnpSession(options.module);
    try {
      return await within(clock, doing, time, signal, async () => work(session, await session.find()));
    } finally {
      await session.close();
    }
  }

  async function establish(
    { ask }: NatUpnpSession,
    { location, service }: FoundByNatUpnp,
    wish: LeaseWish,
    onAsk: (externalPort: number) => void,
  ): Promise<{ mapping: Mapping; lease: Lease }> {
    const gateway = addressOf(location);
    const externalAddress = readExternalAddress(await ask(getExternalIpAddress()));
    const version = wanServiceVersion(service);
    const lease = await leasePort(wish, { ask, version, random, onAsk });
    return { mapping: upnpMapping({ via: NAME, gateway, wish, lease, externalAddress }, environment), lease };
  }

  return {
    name: NAME,
    restarts$: restarts.restarts$,

    async map(request, { signal } = {}) {
      const wishOf = wishOfRequest(request);
      const asked: LeaseWish[] = [];
      try {
        return await run('mapping a port by nat-upnp', signal, async (session, found) => {
          const wish = wishOf(found.local);
          const onAsk = (externalPort: number) => asked.push({ ...wish, externalPort });
          return (await establish(session, found, wish, onAsk)).mapping;
        });
      } catch (error) {
        for (const wish of asked) {
          takeBack.start(wish, TAKE_BACK_TIME, (signal) =>
            inSession('taking a mapping back', TAKE_BACK_TIME, signal, ({ ask }) => endLease(ask, wish)),
          );
        }
        throw error;
      }
    },

    async renew(mapping, { signal } = {}) {
      requireOwn(mapping, NAME);
      return run('renewing a mapping by nat-upnp', signal, async (session, found) => {
        const renewal = await establish(session, found, wishOfMapping(mapping), () => {});
        if (wasLost(mapping, renewal.lease)) restarts.tell(mapping.gateway);
        return renewal.mapping;
      });
    },

    async release(mapping, { signal } = {}) {
      requireOwn(mapping, NAME);
      await run('removing a mapping by nat-upnp', signal, ({ ask }) => endLease(ask, wishOfMapping(mapping)));
    },

    async list({ signal } = {}) {
      return run('listing mappings by nat-upnp', signal, ({ ask }) => listMappings(ask));
    },

    async close() {
      await calls.close();
      restarts.close();
      await takeBack.settled();
    },
  };
}

/** The package believes the description to be wherever the gateway says. */
function addressOf(location: string): string {
  const host = URL.canParse(location) ? new URL(location).hostname : '';
  if (parseIp(host)?.family === 4) return host;
  throw new TraversalError('ERR_GATEWAY_PROTOCOL', 'the gateway says that its description is at no numeric address');
}

const NAME = 'nat-upnp';
/** In ms; the search alone takes up to 1.8 s. */
const TAKE_BACK_TIME = 4_000;
