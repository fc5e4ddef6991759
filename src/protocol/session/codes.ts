import { TraversalError } from '../../core/errors.ts';

/** Application codes of CONNECTION_CLOSE that the session itself gives; an application's own codes stay below 2^30. */
export const CloseCode = {
  /** The certificate's key is not the one that was expected. */
  PEER_KEY: 0x5a11_0001,
  /**
   * The other side broke our rules above QUIC: those of the control stream, no idle timeout; or quiche cannot go on
   * with what it did.
   */
  PROTOCOL: 0x5a11_0002,
} as const;

/**
 * The largest code that is sent, and shown of what comes in: a CLOSE on the control stream has room for 48 bits. QUIC's
 * codes go to 2^62-1, which a number cannot tell from 2^62; and with that quiche brings the process down.
 */
export const MAX_CODE = 2 ** 48 - 1;

/** Throws `ERR_USAGE` for what cannot be sent as an application code. */
export function checkCode(code: number): void {
  if (!Number.isInteger(code) || code < 0 || code > MAX_CODE) throw new TraversalError('ERR_USAGE', `no code: ${code}`);
}

/** Application codes of RESET_STREAM and STOP_SENDING that the session itself gives. */
export const StreamCode = {
  /** The stream did not begin with a preface. */
  PREFACE: 0x5a11_0101,
  /** The preface is of a version that this side does not know. */
  VERSION: 0x5a11_0102,
  /** Nobody takes streams here, or too many wait already. */
  REFUSED: 0x5a11_0103,
  /** The stream ended without its end mark. */
  END_MARK: 0x5a11_0104,
} as const;
