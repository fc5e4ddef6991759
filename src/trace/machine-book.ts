import type { AnyStateMachine } from 'xstate';
import { freeName } from './actor-names.ts';
import type { ChartDefinition } from './chart-definition.ts';
import { edgeIds } from './chart-edges.ts';
import { defineChart } from './define-chart.ts';

/** The machines of a trace: each is told once, whatever was provided into it. */
export class MachineBook {
  /** By the config, which `.provide()` shares. */
  readonly #names = new WeakMap<object, string>();
  readonly #taken = new Set<string>();

  /** The name of a machine; `tell` is called for one that is new. */
  enter(machine: AnyStateMachine, tell: (name: string, definition: ChartDefinition) => void): string {
    const { config } = machine as { readonly config: object };
    const known = this.#names.get(config);
    if (known !== undefined) return known;
    const name = freeName(machine.id, this.#taken);
    this.#names.set(config, name);
    this.#taken.add(name);
    tell(name, chartOf(machine));
    return name;
  }

  /** How an edge goes in traces. */
  edge(machine: AnyStateMachine, transition: object): string | undefined {
    let ids = edgesOfMachines.get(machine);
    if (ids === undefined) {
      ids = edgeIds(machine);
      edgesOfMachines.set(machine, ids);
    }
    return ids(transition);
  }
}

/** How a machine is drawn, made once of each config. */
export function chartOf(machine: AnyStateMachine): ChartDefinition {
  const { config } = machine as { readonly config: object };
  const known = definitions.get(config);
  if (known !== undefined) return known;
  const definition = defineChart(machine);
  definitions.set(config, definition);
  return definition;
}

const definitions = new WeakMap<object, ChartDefinition>();
/** Each instance of a machine has edges of its own. */
const edgesOfMachines = new WeakMap<object, (transition: object) => string | undefined>();
