import { TraversalError } from '../../../core/errors.ts';
import type { MappingProtocol } from '../../../core/port-mapper.ts';
import type { Random } from '../../../core/random.ts';
import {
  addAnyPortMapping,
  addPortMapping,
  deletePortMapping,
  getGenericPortMappingEntry,
  getSpecificPortMappingEntry,
  isFault,
  LONGEST_LEASE,
  type PortMappingEntry,
  type PortMappingKey,
  type SoapAction,
} from '../../../protocol/upnp/index.ts';
import { anotherPort } from '../conduct.ts';
import { isOurDescription } from './mapping-description.ts';

/** Asks one gateway: the connection, deadline and errors are those of `GatewayTalk.ask`. */
export type AskGateway = <T>(action: SoapAction<T>) => Promise<T>;

export interface LeaseWish {
  readonly protocol: MappingProtocol;
  readonly internalClient: string;
  readonly internalPort: number;
  readonly externalPort: number;
  /** Seconds, at least 1. */
  readonly lifetime: number;
  /** As it shall stand in the table. */
  readonly description: string;
  readonly onConflict: 'another-port' | 'fail';
}

export interface Lease {
  readonly externalPort: number;
  /** Seconds; 0 is without end. */
  readonly lifetime: number;
  /** Whether there was one of ours at the wished port already. */
  readonly renewed: boolean;
  /** Whether the gateway's table has it. */
  readonly listed: boolean;
}

export interface LeaseEnvironment {
  readonly ask: AskGateway;
  /** Of the service; 2 can choose a port by itself. */
  readonly version: 1 | 2;
  readonly random: Random;
  /** Told of each external port before the gateway is asked for it. */
  readonly onAsk: (externalPort: number) => void;
}

/**
 * Leases an external port. What belongs to somebody else is never asked for, since some gateways would hand it over without a word.
 *
 * With `another-port` the order is: the port wished for, one that an earlier run left for the same internal port, a few by chance, for
 * which a gateway of version 2 may give others. Errors: `ERR_MAPPING_CONFLICT`, and those of `ask`.
 */
export async function leasePort(wish: LeaseWish, environment: LeaseEnvironment): Promise<Lease> {
  const holder = await holderOf(environment.ask, wish);
  const renewed = isEntry(holder) && isOurs(holder, wish);
  if (!isEntry(holder) || renewed) {
    const lease = await unlessConflict(() => addAt(environment, wish, wish.externalPort));
    if (lease !== undefined) return { ...lease, renewed };
  }
  if (wish.onConflict === 'another-port') {
    const lease = await leaseAnother(environment, wish);
    if (lease !== undefined) return { ...lease, renewed: false };
  }
  throw conflictError(wish, holder);
}

/** Ends the lease of `externalPort` if it leads to the wish's internal endpoint; one that is gone is no error. */
export async function endLease(
  ask: AskGateway,
  lease: PortMappingKey & Pick<LeaseWish, 'internalClient' | 'internalPort'>,
): Promise<void> {
  const holder = await holderOf(ask, lease);
  if (holder === 'nobody' || (isEntry(holder) && !leadsTo(holder, lease))) return;
  try {
    await ask(deletePortMapping(lease));
  } catch (error) {
    if (!isFault(error, 'NoSuchEntryInArray', 'SpecifiedArrayIndexInvalid')) throw error;
  }
}

/** Reads the table in order, at most `max` entries of it. */
export async function* readTable(ask: AskGateway, max: number): AsyncGenerator<PortMappingEntry> {
  for (let index = 0; index < max; index++) {
    try {
      yield await ask(getGenericPortMappingEntry(index));
    } catch (error) {
      // 713 is the end; some gateways have other words for it.
      if (isFault(error, 'SpecifiedArrayIndexInvalid', 'NoSuchEntryInArray', 'InvalidArgs', 'ActionFailed')) return;
      throw error;
    }
  }
}

async function leaseAnother(environment: LeaseEnvironment, wish: LeaseWish): Promise<AddedLease | undefined> {
  const leftover = await findLeftover(environment.ask, wish);
  if (leftover !== undefined) {
    const lease = await unlessConflict(() => addAt(environment, wish, leftover));
    if (lease !== undefined) return lease;
  }
  for (let attempt = 0; attempt < RANDOM_ATTEMPTS; attempt++) {
    const port = anotherPort(environment.random);
    if (isEntry(await holderOf(environment.ask, { ...wish, externalPort: port }))) continue;
    const add = environment.version === 2 ? addAny : addAt;
    const lease = await unlessConflict(() => add(environment, wish, port));
    if (lease !== undefined) return lease;
  }
  return undefined;
}

type AddedLease = Omit<Lease, 'renewed'>;

/** Asks for one port, and reads back what became of it. */
async function addAt(environment: LeaseEnvironment, wish: LeaseWish, externalPort: number): Promise<AddedLease> {
  const { ask, version, onAsk } = environment;
  const entry = { ...wish, externalPort };
  const lease = leaseSeconds(wish, version);
  onAsk(externalPort);
  try {
    await ask(addPortMapping({ ...entry, lease }));
    return await readBack(ask, entry, lease);
  } catch (error) {
    if (isFault(error, 'OnlyPermanentLeasesSupported')) {
      await ask(addPortMapping({ ...entry, lease: 0 }));
      return readBack(ask, entry, version === 2 ? LONGEST_LEASE : 0);
    }
    const { internalPort } = wish;
    if (isFault(error, 'SamePortValuesRequired') && externalPort !== internalPort && wish.onConflict !== 'fail') {
      if (!isEntry(await holderOf(ask, { ...wish, externalPort: internalPort }))) {
        return addAt(environment, wish, internalPort);
      }
    }
    throw error;
  }
}

/**
 * Asks for one port, or for another where that one cannot be had. Not for one that this host has: it would lead here instead of where it
 * did before.
 */
async function addAny(environment: LeaseEnvironment, wish: LeaseWish, port: number): Promise<AddedLease> {
  const { ask, version, onAsk } = environment;
  const lease = leaseSeconds(wish, version);
  onAsk(port);
  try {
    const externalPort = await ask(addAnyPortMapping({ ...wish, externalPort: port, lease }));
    onAsk(externalPort);
    return await readBack(ask, { ...wish, externalPort }, lease);
  } catch (error) {
    if (isFault(error, 'InvalidAction', 'OptionalActionNotImplemented')) return addAt(environment, wish, port);
    throw error;
  }
}

/** Gateways may grant less than they were asked for, and only the table tells. */
async function readBack(ask: AskGateway, wish: LeaseWish, asked: number): Promise<AddedLease> {
  const { externalPort } = wish;
  const holder = await holderOf(ask, wish);
  if (isEntry(holder) && !leadsTo(holder, wish)) {
    const problem = `the gateway has granted port ${externalPort}, which leads to ${holder.internalClient}`;
    throw new TraversalError('ERR_GATEWAY_PROTOCOL', problem);
  }
  const listed = isEntry(holder);
  const lifetime = listed && holder.lease > 0 && holder.lease < asked ? holder.lease : asked;
  return { externalPort, lifetime, listed };
}

/** Whose a port is; `unknown` where the gateway cannot tell. */
type Holder = PortMappingEntry | 'nobody' | 'unknown';

async function holderOf(ask: AskGateway, key: PortMappingKey): Promise<Holder> {
  try {
    return await ask(getSpecificPortMappingEntry(key));
  } catch (error) {
    if (isFault(error, 'NoSuchEntryInArray', 'SpecifiedArrayIndexInvalid')) return 'nobody';
    if (isFault(error, 'InvalidAction', 'InvalidArgs', 'ActionFailed', 'OptionalActionNotImplemented'))
      return 'unknown';
    throw error;
  }
}

function isEntry(holder: Holder): holder is PortMappingEntry {
  return typeof holder !== 'string';
}

/** The external port of a mapping of ours for the same internal endpoint, as a killed process leaves one. */
async function findLeftover(ask: AskGateway, wish: LeaseWish): Promise<number | undefined> {
  for await (const entry of readTable(ask, LEFTOVER_DEPTH)) {
    if (entry.protocol === wish.protocol && isOurs(entry, wish)) return entry.externalPort;
  }
  return undefined;
}

function isOurs(entry: PortMappingEntry, wish: LeaseWish): boolean {
  return leadsTo(entry, wish) && isOurDescription(entry.description);
}

function leadsTo(entry: PortMappingEntry, to: Pick<LeaseWish, 'internalClient' | 'internalPort'>): boolean {
  return entry.internalClient === to.internalClient && entry.internalPort === to.internalPort;
}

async function unlessConflict<T>(add: () => Promise<T>): Promise<T | undefined> {
  try {
    return await add();
  } catch (error) {
    if (isFault(error, 'ConflictInMappingEntry', 'ConflictWithOtherMechanisms', 'SamePortValuesRequired'))
      return undefined;
    throw error;
  }
}

function conflictError({ protocol, externalPort }: LeaseWish, holder: Holder): TraversalError {
  const owner = isEntry(holder)
    ? ` leads to ${holder.internalClient}:${holder.internalPort} (${holder.description})`
    : ' is taken';
  return new TraversalError('ERR_MAPPING_CONFLICT', `external ${protocol} port ${externalPort}${owner}`);
}

/** Version 2 grants a week at most. */
function leaseSeconds({ lifetime }: LeaseWish, version: 1 | 2): number {
  return version === 2 ? Math.min(lifetime, LONGEST_LEASE) : lifetime;
}

const RANDOM_ATTEMPTS = 4;
/** Entries that are looked through; each is a request. */
const LEFTOVER_DEPTH = 128;
