import { cProgram } from './c-program.ts';
import { cable } from './cable.ts';
import { ipBatch } from './execute.ts';
import type { NetworkNamespace } from './network-namespace.ts';

/** What a line to the internet does to packets, both ways. */
export interface Line {
  /** One way, in ms; 0 by default. */
  readonly delay?: number;
  /** Lost each way, 0..100 percent, 0 by default. */
  readonly loss?: number;
}

/** The subscriber's end of a line. */
export interface LineEnd {
  readonly namespace: NetworkNamespace;
  readonly device: string;
  /** Public addresses that are routed to it. */
  readonly addresses: readonly string[];
  /** IPv6 prefix that is routed to it, as `2001:db8:1::/48`; none where it has IPv4 only. */
  readonly prefix?: string;
}

/** Lays a line between the internet and a subscriber: `device` is its name at the internet's end, unique there. */
export async function layLine(
  internet: NetworkNamespace,
  device: string,
  end: LineEnd,
  { delay = 0, loss = 0 }: Line,
): Promise<void> {
  if (delay === 0) {
    await ipBatch([cable(end.namespace, end.device, internet, device)]);
  } else {
    await startDelayLink(internet, device, end, delay);
  }
  await internet.configure({
    ip: [
      `link set ${device} txqueuelen ${QUEUE} up`,
      `addr add ${ROUTER}/32 dev ${device}`,
      ...end.addresses.map((address) => `route add ${address}/32 dev ${device}`),
      ...(end.prefix === undefined
        ? []
        : [
            `addr add ${ROUTER_LINK}/64 dev ${device} nodad`,
            `route add ${end.prefix} via ${SUBSCRIBER_LINK} dev ${device}`,
          ]),
    ],
    nft: loss === 0 ? '' : lossRules(device, loss),
    forwards: true,
    ipv6: end.prefix !== undefined,
  });
}

/** Lines of `ip -batch` that configure the subscriber's end. */
export function subscriberSide({ device, addresses, prefix }: LineEnd): string[] {
  return [
    `link set ${device} txqueuelen ${QUEUE} up`,
    ...addresses.map((address) => `addr add ${address}/32 dev ${device}`),
    `route add ${ROUTER} dev ${device}`,
    `route add default via ${ROUTER} dev ${device}`,
    ...(prefix === undefined
      ? []
      : [`addr add ${SUBSCRIBER_LINK}/64 dev ${device} nodad`, `route add default via ${ROUTER_LINK} dev ${device}`]),
  ];
}

/** First three bytes of the public addresses. Those that are meant for documentation are no use: gateways take them for private ones. */
export const PUBLIC_NETWORK = '11.0.0';

/** Address of the internet's router on every line. */
const ROUTER = `${PUBLIC_NETWORK}.1`;

/** Link-local IPv6 addresses of both ends of every line. */
const ROUTER_LINK = 'fe80::1';
const SUBSCRIBER_LINK = 'fe80::2';

/** Packets; room for a whole window of TCP to arrive at once, so that a line loses only what it is told to. */
const QUEUE = 8192;

/** The program lives in the internet's namespace, and ends with it or with this process. */
async function startDelayLink(internet: NetworkNamespace, device: string, end: LineEnd, delay: number): Promise<void> {
  const ends = [end.namespace.name, end.device, internet.name, device];
  const link = internet.spawn(await cProgram(DELAY_LINK), [...ends, String(Math.round(delay * 1000))]);
  await link.line(/^ready$/);
}

const DELAY_LINK = new URL('delay-link.c', import.meta.url);

/** Rules by which a router loses what crosses one of its devices, `loss` percent each way. The kernel's netem is not everywhere; they are. */
export function lossRules(device: string, loss: number): string {
  const drop = `numgen random mod 10000 < ${Math.round(loss * 100)} drop`;
  return `
add table inet loss
add chain inet loss in { type filter hook prerouting priority raw; }
add chain inet loss out { type filter hook postrouting priority filter; }
add rule inet loss in iifname ${device} ${drop}
add rule inet loss out oifname ${device} ${drop}`;
}
