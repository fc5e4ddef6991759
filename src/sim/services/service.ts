import type { Clock } from '../../core/clock.ts';
import { TraversalError } from '../../core/errors.ts';
import { Fields, usage } from '../fields.ts';
import type { Host } from '../host.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { type RendezvousServiceSpec, readRendezvousSpec, startRendezvous } from './rendezvous.ts';
import { readStunSpec, type StunServiceSpec, startStun } from './stun.ts';
import { readTurnSpec, startTurn, type TurnServiceSpec } from './turn.ts';

/** What a simulated host serves, as plain data. After a restart of the host it is there again, and remembers nothing. */
export type ServiceSpec = StunServiceSpec | RendezvousServiceSpec | TurnServiceSpec;

/** Where a service runs. */
export interface ServiceSite {
  readonly host: Host;
  readonly clock: Clock;
  /** Of the host's services: each takes a stream of it, by a name of its own. */
  readonly random: SeededRandom;
  /** All services of the host, this one among them. */
  readonly services: readonly ServiceSpec[];
  /** Of the spec, for errors. */
  readonly path: string;
}

/** Reads plain data. Errors: `ERR_USAGE` with the path of the field that is not as it should be. */
export function readServiceSpec(value: unknown, path: string): ServiceSpec {
  const type = new Fields(value, path, Object.keys(value ?? {})).oneOf('type', SERVICE_TYPES);
  switch (type) {
    case 'stun':
      return readStunSpec(value, path);
    case 'rendezvous':
      return readRendezvousSpec(value, path);
    case 'turn':
      return readTurnSpec(value, path);
    case undefined:
      throw usage(`${path}.type`, 'is missing');
  }
}

/**
 * Starts a service, now and whenever its host comes up again. Errors: `ERR_USAGE` with a path, also where the host does not have
 * what the service needs, such as a port that is free.
 */
export function startService(spec: ServiceSpec, site: ServiceSite): void {
  try {
    start(spec, site);
  } catch (error) {
    if (!(error instanceof TraversalError) || error.code === 'ERR_USAGE') throw error;
    throw usage(site.path, error.message);
  }
}

function start(spec: ServiceSpec, site: ServiceSite): void {
  switch (spec.type) {
    case 'stun':
      startStun(spec, site);
      break;
    case 'rendezvous':
      startRendezvous(spec, site);
      break;
    case 'turn':
      startTurn(spec, site);
  }
}

const SERVICE_TYPES: readonly ServiceSpec['type'][] = ['stun', 'rendezvous', 'turn'];
