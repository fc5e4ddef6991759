import { endpoint, type Family } from '../../core/endpoint.ts';
import { parseIp } from '../../core/ip-address.ts';

/** A default route as a system's table has it. */
export interface DefaultRoute {
  readonly family: Family;
  /** Numeric address of the next hop; a link-local one has its zone where the table says it. */
  readonly gateway: string;
  /** Name of the interface, its number as Windows has it, or an address of this host. */
  readonly via: string;
  /** The lower the better; comparable within a family only. */
  readonly metric: number;
}

/**
 * Default routes of Linux: `/proc/net/route`, where addresses are hex numbers in the order of the machine's bytes, and
 * `/proc/net/ipv6_route`. Lines that are none are left out.
 */
export function parseProcRoutes(ipv4: string, ipv6: string, littleEndian: boolean): DefaultRoute[] {
  const four = ipv4.split('\n').flatMap((line) => {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (destination !== ZEROS_4 || mask !== ZEROS_4 || !isGatewayRoute(flags) || !isHex(gateway, 4)) return [];
    const bytes = Buffer.from(gateway, 'hex');
    if (littleEndian) bytes.reverse();
    return [route(bytes.join('.'), name!, Number(metric))];
  });
  const six = ipv6.split('\n').flatMap((line) => {
    const [destination, prefix, , , gateway, metric, , , flags, name] = line.trim().split(/\s+/);
    if (destination !== ZEROS_6 || prefix !== '00' || !isGatewayRoute(flags) || !isHex(gateway, 16)) return [];
    return [route(groups(gateway), name!, Number.parseInt(metric!, 16))];
  });
  return [...four, ...six];
}

/** Default routes of macOS and the BSDs, from `netstat -rn`; the order of the table is their preference. */
export function parseNetstatRoutes(text: string): DefaultRoute[] {
  return text.split('\n').flatMap((line, index) => {
    const [destination, gateway = '', flags = '', ...rest] = line.trim().split(/\s+/);
    // macOS: Netif and Expire; before version 10.15 also Refs and Use. The interface's name begins with a letter.
    const name = rest.find((column) => /^[a-z]/.test(column));
    if (destination !== 'default' || !flags.includes('G') || parseIp(gateway) === undefined) return [];
    return name === undefined ? [] : [route(gateway, name, index)];
  });
}

/** Default routes of Windows, from `route print`: rows are told by their shape, since the headings are in the user's language. */
export function parseRoutePrint(text: string): DefaultRoute[] {
  return text.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [a, b, c, d, e] = columns;
    if (a === '0.0.0.0' && b === '0.0.0.0' && columns.length === 5) return rowOf(c!, d!, e!);
    if (c === '::/0' && columns.length === 4) return rowOf(d!, a!, b!);
    return [];
  });
}

/** RTF_UP and RTF_GATEWAY of route(8). */
const UP_AND_GATEWAY = 0x3;
const ZEROS_4 = '0'.repeat(8);
const ZEROS_6 = '0'.repeat(32);

function isGatewayRoute(flags = ''): boolean {
  return (Number.parseInt(flags, 16) & UP_AND_GATEWAY) === UP_AND_GATEWAY;
}

function isHex(text: string | undefined, bytes: number): text is string {
  return text !== undefined && /^[0-9a-f]+$/i.test(text) && text.length === 2 * bytes;
}

function groups(hex: string): string {
  return hex.match(/.{4}/g)!.join(':');
}

/** Empty for what is no next hop, such as `On-link`. */
function rowOf(gateway: string, via: string, metric: string): DefaultRoute[] {
  return parseIp(gateway) === undefined ? [] : [route(gateway, via, Number(metric))];
}

function route(gateway: string, via: string, metric: number): DefaultRoute {
  const { address, family } = endpoint(gateway, 0);
  return { family, gateway: address, via, metric };
}
