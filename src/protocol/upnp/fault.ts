import { type ErrorCode, GatewayError } from '../../core/errors.ts';

/**
 * Codes by which a gateway refuses an action, with their names: UPnP Device Architecture 2.0 section 3.2.5, and the error tables of
 * WANIPConnection:1 and :2.
 */
export const FAULTS = {
  InvalidAction: 401,
  InvalidArgs: 402,
  ActionFailed: 501,
  ArgumentValueInvalid: 600,
  ArgumentValueOutOfRange: 601,
  OptionalActionNotImplemented: 602,
  OutOfMemory: 603,
  HumanInterventionRequired: 604,
  StringArgumentTooLong: 605,
  ActionNotAuthorized: 606,
  SpecifiedArrayIndexInvalid: 713,
  NoSuchEntryInArray: 714,
  WildCardNotPermittedInSrcIP: 715,
  WildCardNotPermittedInExtPort: 716,
  ConflictInMappingEntry: 718,
  SamePortValuesRequired: 724,
  OnlyPermanentLeasesSupported: 725,
  RemoteHostOnlySupportsWildcard: 726,
  ExternalPortOnlySupportsWildcard: 727,
  NoPortMapsAvailable: 728,
  ConflictWithOtherMechanisms: 729,
  PortMappingNotFound: 730,
  ReadOnly: 731,
  WildCardNotPermittedInIntPort: 732,
  InconsistentParameters: 733,
} as const;

export type FaultName = keyof typeof FAULTS;

/** A gateway's refusal: `code` is what it means for the caller, `fault` what the gateway said, which may be none of {@link FAULTS}. */
export class UpnpFault extends GatewayError {
  readonly fault: number;

  /** `action` is what was asked; `description` the gateway's own words. */
  constructor(action: string, fault: number, description: string) {
    const result = `${fault} ${FAULT_NAMES.get(fault) ?? description}`.trim();
    super(errorCodeOf(fault), `the gateway refuses ${action}: ${result}`, { result });
    this.fault = fault;
  }
}

/** Whether an error is the gateway's refusal for one of these reasons. */
export function isFault(error: unknown, ...names: readonly FaultName[]): boolean {
  return error instanceof UpnpFault && names.some((name) => FAULTS[name] === error.fault);
}

function errorCodeOf(fault: number): ErrorCode {
  if (CONFLICTS.has(fault)) return 'ERR_MAPPING_CONFLICT';
  if (EXHAUSTIONS.has(fault)) return 'ERR_MAPPING_EXHAUSTED';
  return 'ERR_MAPPING_REFUSED';
}

const FAULT_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(FAULTS).map(([name, code]) => [code, name] as const),
);

const CONFLICTS: ReadonlySet<number> = new Set([FAULTS.ConflictInMappingEntry, FAULTS.ConflictWithOtherMechanisms]);
const EXHAUSTIONS: ReadonlySet<number> = new Set([FAULTS.OutOfMemory, FAULTS.NoPortMapsAvailable]);
