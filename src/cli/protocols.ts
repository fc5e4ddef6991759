/** Carries whatever the two commands agreed on: stdin and stdout, echo, a forwarded port, a line. */
export const PIPE = 'sallyport/pipe';
/** Eight bytes out, the same eight bytes back. */
export const PING = 'sallyport/ping';
/** Length of a ping in bytes. */
export const PING_LENGTH = 8;
/** Stream reset: the listener joins its stdin and stdout to one stream, and that one is taken. */
export const CODE_BUSY = 0x10;
/** Stream reset: the listener offers nothing of this protocol. */
export const CODE_REFUSED = 0x11;
/** Stream reset: the forwarded service cannot be reached. */
export const CODE_UNREACHABLE = 0x12;
