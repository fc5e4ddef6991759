/** What a PCP server makes of a request (RFC 6887 section 7.4). */
export const PCP_RESULT = {
  SUCCESS: 0,
  UNSUPP_VERSION: 1,
  NOT_AUTHORIZED: 2,
  MALFORMED_REQUEST: 3,
  UNSUPP_OPCODE: 4,
  UNSUPP_OPTION: 5,
  MALFORMED_OPTION: 6,
  NETWORK_FAILURE: 7,
  NO_RESOURCES: 8,
  UNSUPP_PROTOCOL: 9,
  USER_EX_QUOTA: 10,
  CANNOT_PROVIDE_EXTERNAL: 11,
  ADDRESS_MISMATCH: 12,
  EXCESSIVE_REMOTE_PEERS: 13,
} as const;

export type PcpResultName = keyof typeof PCP_RESULT;

/** The name of a code of the RFC; `undefined` of any other. */
export function pcpResultName(code: number): PcpResultName | undefined {
  return NAMES[code];
}

/**
 * Seconds for which a server lets its client assume that the same request meets the same error: 1800 for a long lifetime error,
 * 30 for a short one (RFC 6887 section 7.4). `SUCCESS` is no error.
 */
export const PCP_ERROR_LIFETIME: Readonly<Record<Exclude<PcpResultName, 'SUCCESS'>, number>> = {
  UNSUPP_VERSION: 1800,
  NOT_AUTHORIZED: 1800,
  MALFORMED_REQUEST: 1800,
  UNSUPP_OPCODE: 1800,
  UNSUPP_OPTION: 1800,
  MALFORMED_OPTION: 1800,
  NETWORK_FAILURE: 30,
  NO_RESOURCES: 30,
  UNSUPP_PROTOCOL: 1800,
  USER_EX_QUOTA: 30,
  /** The RFC leaves it to the reason; a port that another host holds may be free soon. */
  CANNOT_PROVIDE_EXTERNAL: 30,
  ADDRESS_MISMATCH: 1800,
  EXCESSIVE_REMOTE_PEERS: 1800,
};

const NAMES = Object.keys(PCP_RESULT) as readonly PcpResultName[];
