import { Observable } from 'rxjs';
import type { Datagram } from '../../../core/datagram.ts';
import { endpoint } from '../../../core/endpoint.ts';
import { DecodeError } from '../../../core/errors.ts';
import { classifyAddress } from '../../../core/ip-address.ts';
import type { DatagramSocket, Gateway } from '../../../core/network.ts';
import type { PortMapperEnvironment } from '../../../core/port-mapper.ts';
import {
  decodeSsdp,
  encodeSearch,
  type GatewayUrl,
  gatewayUrl,
  isGatewayType,
  SEARCH_TARGETS,
  SSDP_GROUP,
  SSDP_PORT,
  type SsdpMessage,
} from '../../../protocol/upnp/index.ts';

/** A device that says that it is a gateway. */
export interface FoundDevice {
  /** Of its description, at the address that answered. */
  readonly location: GatewayUrl;
  readonly bootId: string | undefined;
}

/**
 * Searches by SSDP over all IPv4 interfaces, and asks `gateways` directly, since multicast gets lost in many a Wi-Fi. Emits each device
 * once, as it answers, and completes after 1.5 s, or at once where nothing can be sent. Never errors. Answers from public addresses are not of
 * the local network, unless a default route leads there: nobody out there is to be asked on their word.
 */
export function searchDevices(
  environment: PortMapperEnvironment,
  gateways: readonly Gateway[],
): Observable<FoundDevice> {
  const { network, clock, log } = environment;
  return new Observable((subscriber) => {
    /** Locations by the address that answered, so that nobody crowds out the others. */
    const found = new Map<string, Set<string>>();
    /** Addresses of which it has been told that they sent us elsewhere. */
    const told = new Set<string>();
    const sockets: DatagramSocket[] = [];

    /** The gateways of this host always; anybody else in the local network while there is room. */
    function isWelcome(address: string): boolean {
      if (isDefaultGateway(address, gateways)) return true;
      return classifyAddress(address) !== 'public' && (found.has(address) || found.size < MAX_ADDRESSES);
    }

    function receive({ data, from: { address } }: Datagram): void {
      if (!isWelcome(address)) return;
      const message = ssdpMessage(data);
      if (message?.kind !== 'response' || !isGatewayType(message.target)) return;
      const location = gatewayUrl(message.location, address);
      if (location === undefined) {
        if (told.has(address) || told.size >= MAX_ADDRESSES) return;
        told.add(address);
        log('upnp.dropped', { from: address, reason: 'its description would be elsewhere' });
        return;
      }
      const locations = found.get(address) ?? new Set();
      if (locations.has(location.href) || locations.size >= MAX_LOCATIONS) return;
      found.set(address, locations.add(location.href));
      subscriber.next({ location, bootId: message.bootId });
    }

    async function open(address: string): Promise<void> {
      try {
        const socket = await network.udp({ family: 4, address });
        subscriber.add(() => socket.close());
        subscriber.add(socket.datagrams$.subscribe({ next: receive, error: () => socket.close() }));
        sockets.push(socket);
      } catch (error) {
        log('upnp.no-socket', { address, error: String(error) });
      }
    }

    function search(): void {
      for (const socket of sockets) {
        const direct = gateways.filter(({ local }) => local === socket.local.address).map(({ address }) => address);
        for (const address of [SSDP_GROUP, ...direct]) {
          for (const target of SEARCH_TARGETS) {
            const host = `${address}:${SSDP_PORT}`;
            socket.send(encodeSearch({ target, host, maxWait: 1 }), endpoint(address, SSDP_PORT));
          }
        }
      }
    }

    function after(delay: number, callback: () => void): void {
      const timer = clock.setTimeout(callback, delay);
      subscriber.add(() => clock.clearTimeout(timer));
    }

    void Promise.all(searchAddresses(environment, gateways).map(open)).then(() => {
      if (sockets.length === 0) return subscriber.complete();
      for (const delay of REPEAT_AFTER) after(delay, search);
      after(SEARCH_TIME, () => subscriber.complete());
      search();
    });
  });
}

/** Whether a default route of this host leads there. */
export function isDefaultGateway(address: string, gateways: readonly Gateway[]): boolean {
  return gateways.some((gateway) => gateway.address === address);
}

/** What others send to the ports of SSDP is dropped when it makes no sense. */
export function ssdpMessage(data: Uint8Array): SsdpMessage | undefined {
  try {
    return decodeSsdp(data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Local addresses to search from, those towards a default gateway first: a host with many containers has many. */
function searchAddresses({ network }: PortMapperEnvironment, gateways: readonly Gateway[]): readonly string[] {
  const isUpstream = (address: string): boolean => gateways.some(({ local }) => local === address);
  const addresses = network
    .interfaces()
    .filter(({ family, internal }) => family === 4 && !internal)
    .map(({ address }) => address);
  return [...addresses.filter(isUpstream), ...addresses.filter((address) => !isUpstream(address))].slice(
    0,
    MAX_SOCKETS,
  );
}

/** ms. Devices answer within the second that MX gives them; UDP may lose a search or an answer. */
const SEARCH_TIME = 1_500;
const REPEAT_AFTER = [200, 500];

const MAX_SOCKETS = 16;
/** Besides those of the default gateways. */
const MAX_ADDRESSES = 32;
/** Of one address. */
const MAX_LOCATIONS = 2;
