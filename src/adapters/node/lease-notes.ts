import type { Clock } from '../../core/clock.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { Mapping, MappingProtocol, MappingReach } from '../../core/port-mapper.ts';

/** Mappings by the key of their lease. */
export type LeaseNotes = ReadonlyMap<string, Mapping>;

/** As JSON, with times of the wall clock, since those of a process end with it. */
export function encodeLeaseNotes(notes: LeaseNotes, clock: Clock): string {
  const offset = clock.wallTime() - clock.now();
  const toWall = (time: number): number | null => (Number.isFinite(time) ? Math.round(time + offset) : null);
  const mappings = [...notes].map(([key, { internal, external, goodUntil, renewAfter, ...mapping }]) => [
    key,
    {
      ...mapping,
      internal: formatEndpoint(internal),
      external: formatEndpoint(external),
      goodUntil: toWall(goodUntil),
      renewAfter: toWall(renewAfter),
    },
  ]);
  return JSON.stringify({ version: VERSION, mappings: Object.fromEntries(mappings) }, undefined, 1);
}

/** Without those whose time is over. Throws `DecodeError` for what {@link encodeLeaseNotes} never writes. */
export function decodeLeaseNotes(text: string, clock: Clock): LeaseNotes {
  const offset = clock.wallTime() - clock.now();
  const { version, mappings } = record(parseJson(text), 'file');
  if (version !== VERSION) throw new DecodeError('lease-notes/version', String(version));
  const notes = Object.entries(record(mappings, 'mappings')).map(
    ([key, value]) => [key, decodeMapping(value, offset)] as const,
  );
  return new Map(notes.filter(([, { goodUntil }]) => goodUntil > clock.now()));
}

function decodeMapping(value: unknown, offset: number): Mapping {
  const stored = record(value, 'mapping');
  return {
    via: storedName(stored.via),
    protocol: oneOf(PROTOCOLS, stored.protocol, 'protocol'),
    internal: storedEndpoint(stored.internal, 'internal'),
    external: storedEndpoint(stored.external, 'external'),
    gateway: storedAddress(stored.gateway),
    lifetime: number(stored.lifetime, 'lifetime'),
    goodUntil: storedTime(stored.goodUntil, offset),
    renewAfter: storedTime(stored.renewAfter, offset),
    reach: oneOf(REACHES, stored.reach, 'reach'),
    handle: storedHandle(stored.handle),
  };
}

function storedHandle(value: unknown): Mapping['handle'] {
  const handle: Record<string, string | number> = {};
  for (const [name, note] of Object.entries(record(value, 'handle'))) {
    handle[name] = typeof note === 'string' ? note : number(note, 'handle');
  }
  return handle;
}

function storedName(value: unknown): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw new DecodeError('lease-notes/via');
}

function storedEndpoint(value: unknown, where: string): Endpoint {
  const parsed = typeof value === 'string' ? parseEndpoint(value) : undefined;
  if (parsed === undefined || parsed.port === 0) throw new DecodeError(`lease-notes/${where}`);
  return parsed;
}

function storedAddress(value: unknown): string {
  if (typeof value === 'string' && parseIp(value) !== undefined) return value;
  throw new DecodeError('lease-notes/gateway');
}

function storedTime(value: unknown, offset: number): number {
  return value === null ? Number.POSITIVE_INFINITY : number(value, 'time') - offset;
}

function number(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new DecodeError(`lease-notes/${where}`);
}

function oneOf<T extends string>(all: readonly T[], value: unknown, where: string): T {
  const found = all.find((one) => one === value);
  if (found === undefined) throw new DecodeError(`lease-notes/${where}`);
  return found;
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DecodeError(`lease-notes/${where}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError('lease-notes/json', cause instanceof Error ? cause.message : undefined);
  }
}

const VERSION = 1;
/** Of port mappers, as of strategies. */
const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const PROTOCOLS: readonly MappingProtocol[] = ['udp', 'tcp'];
const REACHES: readonly MappingReach[] = ['internet', 'carrier', 'private'];
