import { endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { toHex } from '../../core/hex.ts';
import {
  createIgdServer,
  createSsdpServer,
  IGD_DESCRIPTION_PATH,
  type IgdIdentity,
  SSDP_GROUP,
  SSDP_PORT,
} from '../../protocol/upnp/index.ts';
import { type GatewaySite, type GatewayState, isInside } from './gateway-site.ts';
import { serveHttp } from './http.ts';

/** An Internet Gateway Device on the network. */
export interface UpnpDevice {
  /** Tells all hosts of the network that it is there. */
  announce(): void;
}

/** What a device is; the same after a restart. */
export function igdIdentity(version: 1 | 2, { router, random }: Pick<GatewaySite, 'router' | 'random'>): IgdIdentity {
  const uuids = [uuid(random.bytes(16)), uuid(random.bytes(16)), uuid(random.bytes(16))] as const;
  return { version, uuids, friendlyName: router.name, manufacturer: 'Sallyport', modelName: 'simulated router' };
}

/** Serves until the router goes down. IPv4 only, as the mappings of UPnP are. Says `ssdp:alive` when told to, and not again by itself. */
export function startUpnp(
  site: GatewaySite,
  { rules, table, epoch }: GatewayState,
  { identity, bootId }: { readonly identity: IgdIdentity; readonly bootId: string },
): UpnpDevice | undefined {
  const { router, inside } = site;
  const address = inside.addressOf(4);
  if (address === undefined) return undefined;
  const { maxLifetime, permanentOnly } = rules;
  const device = createIgdServer({ identity, table, maxLifetime, permanentOnly, uptime: epoch });
  serveHttp(site, endpoint(address, HTTP_PORT), (request, client, now) => device.answer(request, client, now));

  const location = `http://${formatEndpoint(endpoint(address, HTTP_PORT))}${IGD_DESCRIPTION_PATH}`;
  const ssdp = createSsdpServer({ identity, location, bootId });
  const socket = router.udp.bind({ family: 4, port: SSDP_PORT });
  socket.joinGroup(SSDP_GROUP, address);
  socket.onDatagram = (data, from) => {
    if (!isInside(site, from.address)) return;
    for (const answer of ssdp.answers(data)) socket.send(answer, from);
  };
  return {
    announce() {
      for (const message of ssdp.alive()) socket.send(message, endpoint(SSDP_GROUP, SSDP_PORT));
    },
  };
}

/** Of 16 random bytes: version 4 (RFC 9562 section 5.4). */
function uuid(bytes: Uint8Array): string {
  const hex = toHex(bytes.map((byte, i) => (i === 6 ? 0x40 | (byte & 0x0f) : i === 8 ? 0x80 | (byte & 0x3f) : byte)));
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Of description and control. */
const HTTP_PORT = 5000;
