import { endpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { entryOf, type GatewayTable, grantPort, type TableRefusal } from '../gateway-table.ts';
import {
  decodeNatPmpRequest,
  encodeNatPmpRefusal,
  encodeNatPmpResponse,
  NATPMP_VERSION,
  type NatPmpRequest,
} from './message.ts';
import { NATPMP_RESULT } from './result-code.ts';

/** What a gateway says in NAT-PMP, without input or output of its own. `now` is in ms and never goes back. */
export interface NatPmpServer {
  /**
   * The answer to a datagram of `client`, a numeric address; `undefined` where none is due: for what is no request, or cut. Never
   * throws.
   */
  answer(data: Uint8Array, client: string, now: number): Uint8Array | undefined;
  /** What is told to all clients when the gateway has started or got another address (RFC 6886 section 3.2.1). */
  announcement(now: number): Uint8Array;
}

export interface NatPmpServerOptions {
  readonly table: GatewayTable;
  /** Seconds since the table was empty (section 3.6). */
  readonly epoch: (now: number) => number;
  /** Seconds that a mapping gets at most. */
  readonly maxLifetime: number;
}

export function createNatPmpServer({ table, epoch, maxLifetime }: NatPmpServerOptions): NatPmpServer {
  function perform(request: NatPmpRequest, client: string, now: number): Uint8Array {
    const { opcode } = request;
    if (opcode === 'external-address') return tellAddress(client, now);
    const { internalPort, externalPort, lifetime } = request;
    const answer = { epoch: epoch(now), internalPort };
    if (lifetime === 0) {
      remove(request, client, now);
      return encodeNatPmpResponse({ type: 'mapped', protocol: opcode, externalPort: 0, lifetime, ...answer });
    }
    if (internalPort === 0) {
      return encodeNatPmpResponse({ type: 'refused', opcode, result: NATPMP_RESULT.notAuthorized, ...answer });
    }
    const granted = Math.min(lifetime, maxLifetime);
    const wish = {
      protocol: opcode,
      internal: endpoint(client, internalPort),
      lifetime: granted * 1000,
      description: 'NAT-PMP',
      ...(externalPort > 0 && { externalPort }),
    };
    const entry = grantPort(table, wish, now);
    if (typeof entry === 'string') {
      return encodeNatPmpResponse({ type: 'refused', opcode, result: REFUSALS[entry], ...answer });
    }
    const { port } = entry.external;
    return encodeNatPmpResponse({ type: 'mapped', protocol: opcode, externalPort: port, lifetime: granted, ...answer });
  }

  /** Section 3.2. */
  function tellAddress(client: string | undefined, now: number): Uint8Array {
    const externalAddress = table.externalAddress(client);
    if (externalAddress !== undefined) {
      return encodeNatPmpResponse({ type: 'external-address', epoch: epoch(now), externalAddress });
    }
    const result = NATPMP_RESULT.networkFailure;
    return encodeNatPmpResponse({ type: 'refused', opcode: 'external-address', result, epoch: epoch(now) });
  }

  /** Section 3.4: one mapping, or with port 0 all that the client has of the protocol. What is not there is gone. */
  function remove({ opcode, internalPort }: MapRequest, client: string, now: number): void {
    const isMeant =
      internalPort === 0
        ? table.entries(now).filter((entry) => entry.protocol === opcode && entry.internal.address === client)
        : [entryOf(table, opcode, { address: client, port: internalPort }, now)];
    for (const entry of isMeant) if (entry !== undefined) table.remove(entry, now);
  }

  return {
    answer(data, client, now) {
      const [version, opcode] = data;
      if (version === undefined || opcode === undefined || opcode >= RESPONSE) return undefined;
      const refuse = (result: number): Uint8Array => encodeNatPmpRefusal({ opcode, result, epoch: epoch(now) });
      if (version !== NATPMP_VERSION) return refuse(NATPMP_RESULT.unsupportedVersion);
      if (opcode > LAST_OPCODE) return refuse(NATPMP_RESULT.unsupportedOpcode);
      const request = requestOrUndefined(data);
      return request && perform(request, client, now);
    },
    announcement: (now) => tellAddress(undefined, now),
  };
}

type MapRequest = Exclude<NatPmpRequest, { opcode: 'external-address' }>;

/** Of the version that there is, only what is too short cannot be read. */
function requestOrUndefined(data: Uint8Array): NatPmpRequest | undefined {
  try {
    return decodeNatPmpRequest(data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const REFUSALS: Readonly<Record<TableRefusal, number>> = {
  conflict: NATPMP_RESULT.outOfResources,
  exhausted: NATPMP_RESULT.outOfResources,
  unaddressed: NATPMP_RESULT.networkFailure,
};

/** The bit of responses in an opcode. */
const RESPONSE = 0x80;
/** Mapping a TCP port. */
const LAST_OPCODE = 2;
