/** STUN methods of TURN (RFC 8656 section 17). */
export const ALLOCATE = 0x003;
export const REFRESH = 0x004;
/** Indications: data of the client for a peer. */
export const SEND = 0x006;
/** Indications: data of a peer for the client. */
export const DATA = 0x007;
export const CREATE_PERMISSION = 0x008;
export const CHANNEL_BIND = 0x009;

/** UDP in REQUESTED-TRANSPORT: the protocol's number in IP headers. */
export const UDP_PROTOCOL = 17;
