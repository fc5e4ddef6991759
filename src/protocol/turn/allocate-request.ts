import type { Family } from '../../core/endpoint.ts';
import { attribute, type ErrorResponseCode, type StunMessage } from '../stun/index.ts';
import { UDP_PROTOCOL } from './method.ts';
import type { PortWish } from './relay-ports.ts';

/** What an Allocate request asks for. */
export interface AllocateWish {
  readonly family: Family;
  readonly port: PortWish;
  /** The port that another allocation has reserved, in place of `family` and `port`. */
  readonly token?: Uint8Array;
  /** An address of the other family too. */
  readonly additional: boolean;
}

/** Reads an Allocate request, by the checks of RFC 8656 section 7.2; an error code when one fails. */
export function readAllocateRequest(request: StunMessage): AllocateWish | ErrorResponseCode {
  const transport = attribute(request, 'requested-transport');
  if (transport === undefined) return 400;
  if (transport.protocol !== UDP_PROTOCOL) return 442;
  const token = attribute(request, 'reservation-token')?.value;
  const evenPort = attribute(request, 'even-port');
  const family = attribute(request, 'requested-address-family')?.family;
  const additional = attribute(request, 'additional-address-family')?.family;
  if (token !== undefined && (evenPort ?? family ?? additional) !== undefined) return 400;
  if (family !== undefined && additional !== undefined) return 400;
  if (additional !== undefined && (additional === 4 || evenPort?.reserve === true)) return 400;
  const port = evenPort === undefined ? 'any' : evenPort.reserve ? 'pair' : 'even';
  return { family: family ?? 4, port, token, additional: additional !== undefined };
}

/**
 * ms that an allocation lives from now on (RFC 8656 sections 7.2 and 8.2): what the LIFETIME of the request asks for, but no
 * less than the default. `max` in s.
 */
export function grantedLifetime(request: StunMessage, max: number): number {
  const asked = attribute(request, 'lifetime')?.value ?? DEFAULT_LIFETIME;
  return 1_000 * Math.max(DEFAULT_LIFETIME, Math.min(asked, max));
}

/** Seconds (RFC 8656 section 3.2). */
export const DEFAULT_LIFETIME = 600;
