import type { Policy } from '../core/policy.ts';
import type { Flow, FlowMachines, FlowSpec, OwnMachines } from './flow.ts';
import type { Finding } from './lint/finding.ts';
import { findings } from './lint/findings.ts';
import { isMachine } from './logic-shape.ts';
import type { Strategy } from './strategy.ts';
import { fieldsOf, usage } from './usage.ts';

/** A flow whose machines are those that were composed, or these with something provided. */
export class ComposedFlow implements Flow {
  readonly spec: FlowSpec;
  readonly strategies: readonly Strategy[];
  readonly machine: FlowMachines['machine'];
  readonly discover: FlowMachines['discover'];
  readonly map: FlowMachines['map'];
  readonly punch: FlowMachines['punch'];
  readonly fallback: FlowMachines['fallback'];
  readonly #composed: FlowMachines;

  /** `composed`: the machines before anything was provided. */
  constructor(spec: FlowSpec, strategies: readonly Strategy[], machines: FlowMachines, composed = machines) {
    this.spec = spec;
    this.strategies = strategies;
    this.machine = machines.machine;
    this.discover = machines.discover;
    this.map = machines.map;
    this.punch = machines.punch;
    this.fallback = machines.fallback;
    this.#composed = composed;
  }

  get policy(): Policy {
    return this.spec.policy ?? 'relay-first';
  }

  /** Whether it runs as it was composed: nothing was provided. */
  get isAsComposed(): boolean {
    return NAMES.every((name) => this[name] === this.#composed[name]);
  }

  with(machines: OwnMachines): Flow {
    const given = fieldsOf('with', machines, NAMES);
    for (const name of NAMES) if (name in given) this.#checkOwn(name, given[name], `with: ${name}`);
    const { discover = this.discover, map = this.map, machine = this.machine } = given;
    const { punch = this.#actorOf(machine, 'punch'), fallback = this.#actorOf(machine, 'fallback') } = given;
    const actors = { punch, ...(fallback && { fallback }) };
    const provided = { discover, map, punch, fallback, machine: machine.provide({ actors }) };
    return new ComposedFlow(this.spec, this.strategies, provided, this.#composed);
  }

  lint(): readonly Finding[] {
    return findings(this, this.#composed);
  }

  /** What runs in the lifecycle: what was given there, or else what this flow has. */
  #actorOf<Slot extends 'punch' | 'fallback'>(machine: FlowMachines['machine'], slot: Slot): FlowMachines[Slot] {
    const { [slot]: actor } = machine.implementations.actors;
    if (actor === this.#composed.machine.implementations.actors[slot]) return this[slot];
    this.#checkOwn(slot, actor, `with: machine: actor ${slot}`);
    return actor as FlowMachines[Slot];
  }

  /** XState's `provide()` leaves a machine its config. */
  #checkOwn(name: keyof FlowMachines, machine: unknown, place: string): void {
    const own = this[name];
    if (own === undefined) throw usage(place, 'the flow has none; define another one');
    if (isMachine(machine) && machine.config === own.config) return;
    throw usage(place, `not the flow's own; use flow.${name}.provide({ .. })?`);
  }
}

const NAMES = ['machine', 'discover', 'map', 'punch', 'fallback'] as const;
