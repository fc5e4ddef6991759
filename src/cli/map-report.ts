import pc from 'picocolors';
import type { NotedMapping } from '../adapters/node/lease-journal.ts';
import type { Clock } from '../core/clock.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { MappingAttempt, PortLeaseState } from '../core/port-lease.ts';
import type { Mapping, MappingRequest } from '../core/port-mapper.ts';
import { failureAdvice, reachAdvice } from './map-advice.ts';
import type { Reporter } from './reporter.ts';

/** Tells what becomes of a lease. */
export interface LeaseReport {
  /** On stdout `mapped` and `lost`, a line each, and nothing when a renewal has changed nothing; progress and warnings on stderr. */
  state(state: PortLeaseState): void;
  /** The lease is closed, and what could not be removed is still `noted`. True when the mapping is gone. */
  end(noted: readonly NotedMapping[]): boolean;
}

export function reportLease(
  { protocol, internalPort, externalPort = internalPort }: MappingRequest,
  reporter: Reporter,
  clock: Pick<Clock, 'now'>,
): LeaseReport {
  const tell = reporter.json ? toPrograms(reporter) : toPeople(reporter);
  let held: Mapping | undefined;

  function lose(): void {
    if (held !== undefined) tell.gone('lost', held);
    held = undefined;
  }

  return {
    state(state) {
      if (state.state === 'mapped') {
        tell.mapped(state.mapping, held, secondsUntil(state.mapping.renewAfter, clock));
        held = state.mapping;
      } else if (state.state === 'mapping') {
        lose();
        tell.asking({ protocol, internalPort, externalPort });
      } else if (state.state === 'unavailable') {
        lose();
        tell.failed(state.attempts);
      }
    },
    end(noted) {
      if (held === undefined) return true;
      const route = routeOf(held);
      const isLeft = noted.some(({ mapping }) => routeOf(mapping) === route);
      if (isLeft) tell.left(held, secondsUntil(held.goodUntil, clock));
      else tell.gone('released', held);
      return !isLeft;
    },
  };
}

/** A mapping as an event shows it. */
export function plainMapping({ via, protocol, external, internal, gateway, lifetime, reach }: Mapping): object {
  return {
    via,
    protocol,
    external: formatEndpoint(external),
    internal: formatEndpoint(internal),
    gateway,
    lifetime,
    reach,
  };
}

/** A mapping as a line shows it: what a renewal that goes well leaves as it is. */
export function routeOf({ via, protocol, external, internal, gateway, reach }: Mapping): string {
  const route = `${formatEndpoint(external)} to ${formatEndpoint(internal)}`;
  return `${protocol} ${route} via ${via} gateway ${gateway} reach ${reach}`;
}

interface Telling {
  asking(wish: Required<Pick<MappingRequest, 'protocol' | 'internalPort' | 'externalPort'>>): void;
  /** `before`: what is renewed; `renewIn` in s, `undefined` for a lease without end. */
  mapped(mapping: Mapping, before: Mapping | undefined, renewIn: number | undefined): void;
  gone(name: 'lost' | 'released', mapping: Mapping): void;
  /** The gateway has not confirmed the removal; `endsIn` in s, `undefined` for a lease without end. */
  left(mapping: Mapping, endsIn: number | undefined): void;
  failed(attempts: readonly MappingAttempt[]): void;
}

function toPrograms({ event }: Reporter): Telling {
  return {
    asking: (wish) => event('mapping', wish),
    mapped(mapping, _before, renewIn) {
      const advice = reachAdvice(mapping.reach);
      event('mapped', { ...plainMapping(mapping), ...(renewIn !== undefined && { renewIn }), advice });
    },
    gone: (name, { protocol, external }) => event(name, { protocol, external: formatEndpoint(external) }),
    left({ protocol, external }, endsIn) {
      event('left', { protocol, external: formatEndpoint(external), ...(endsIn !== undefined && { endsIn }) });
    },
    failed(attempts) {
      const plain = attempts.map(({ startedAt, endedAt, ...attempt }) => ({
        ...attempt,
        ms: Math.round(endedAt - startedAt),
      }));
      event('unavailable', { attempts: plain, advice: failureAdvice(attempts) });
    },
  };
}

function toPeople({ print, say, calm }: Reporter): Telling {
  let told: string | undefined;
  return {
    asking: ({ protocol, externalPort }) => calm(`asking the gateway for external ${protocol} port ${externalPort} ..`),
    mapped(mapping, before, renewIn) {
      const { lifetime, reach } = mapping;
      const renewal =
        renewIn === undefined ? 'a lease without end' : `a lease of ${lifetime} s, renewed in ${renewIn} s`;
      if (before === undefined || routeOf(before) !== routeOf(mapping)) {
        print(`mapped ${routeOf(mapping)} lifetime ${lifetime}`);
        for (const sentence of reachAdvice(reach)) say(`${pc.yellow('warning')}: ${sentence}`);
      }
      calm(pc.dim(`${renewal}; Ctrl-C removes the mapping`));
      told = undefined;
    },
    gone: (name, { protocol, external }) => print(`${name} ${protocol} ${formatEndpoint(external)}`),
    left({ protocol, external }, endsIn) {
      print(`left ${protocol} ${formatEndpoint(external)}`);
      const end = endsIn === undefined ? 'it has no end' : `it ends in ${endsIn} s`;
      const remedy = `"sallyport map remove ${external.port} --protocol ${protocol}" removes it`;
      say(`${pc.yellow('warning')}: the gateway has not confirmed the removal of the mapping: ${end}; ${remedy}`);
    },
    failed(attempts) {
      const tried = attempts.map(({ via, reason }) => `  tried ${via}: ${reason}`).join('\n');
      // The gateway is asked again and again, and mostly says the same.
      if (tried === told) return;
      told = tried;
      say(tried);
      for (const sentence of failureAdvice(attempts)) say(`  ${pc.yellow('hint')}: ${sentence}`);
    },
  };
}

/** Whole seconds from now; `undefined` for never. */
function secondsUntil(time: number, clock: Pick<Clock, 'now'>): number | undefined {
  return Number.isFinite(time) ? Math.max(0, Math.round((time - clock.now()) / 1000)) : undefined;
}
