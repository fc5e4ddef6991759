/** What a gateway makes of a request (RFC 6886 section 3.5). */
export const NATPMP_RESULT = {
  success: 0,
  unsupportedVersion: 1,
  /** The gateway speaks the protocol, and mapping is switched off or not for this client. */
  notAuthorized: 2,
  /** The gateway itself has no external address, for instance. */
  networkFailure: 3,
  outOfResources: 4,
  unsupportedOpcode: 5,
} as const;

/** The RFC's words for a result code, for messages. */
export function natPmpResultName(code: number): string {
  return NAMES[code] ?? `result code ${code}`;
}

const NAMES: readonly string[] = [
  'Success',
  'Unsupported Version',
  'Not Authorized/Refused',
  'Network Failure',
  'Out of resources',
  'Unsupported opcode',
];
