import { NATPMP_PORT } from './natpmp/message.ts';
import { BINDING, decodeMessageType, isStunMessage } from './stun/header.ts';
import { ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, DATA, REFRESH, SEND } from './turn/method.ts';
import { SSDP_PORT } from './upnp/ssdp.ts';

/** What a UDP payload is called by its first bytes and the ports it goes between; `undefined`: unknown. For people: nothing is decided by it. */
export function packetKind(payload: Uint8Array, from: number, to: number): string | undefined {
  const first = payload[0];
  if (first === undefined) return 'empty';
  if (isStunMessage(payload)) return stunKind(payload);
  if (from === NATPMP_PORT || to === NATPMP_PORT) return first === PCP_VERSION ? 'PCP' : 'NAT-PMP';
  if (from === SSDP_PORT || to === SSDP_PORT) return 'SSDP';
  // RFC 9443 section 3, with the fixed bit of QUIC (RFC 9000 section 17).
  if (first >= 0xc0) return LONG_PACKETS[(first >> 4) & 3];
  return first >= 0x40 ? 'QUIC' : undefined;
}

function stunKind(payload: Uint8Array): string {
  const { class: stunClass, method } = decodeMessageType((payload[0]! << 8) | payload[1]!);
  const name = METHODS.get(method);
  return name === undefined ? `STUN ${stunClass}` : `${method === BINDING ? 'STUN' : 'TURN'} ${name} ${stunClass}`;
}

/** RFC 6887 section 7.1; NAT-PMP's is 0. */
const PCP_VERSION = 2;

/** RFC 8489 section 18.2, RFC 8656 section 17. */
const METHODS: ReadonlyMap<number, string> = new Map([
  [BINDING, 'Binding'],
  [ALLOCATE, 'Allocate'],
  [REFRESH, 'Refresh'],
  [SEND, 'Send'],
  [DATA, 'Data'],
  [CREATE_PERMISSION, 'CreatePermission'],
  [CHANNEL_BIND, 'ChannelBind'],
]);

/** By the type bits of the long header (RFC 9000 section 17.2). */
const LONG_PACKETS = ['QUIC Initial', 'QUIC 0-RTT', 'QUIC Handshake', 'QUIC Retry'] as const;
