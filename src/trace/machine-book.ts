import type { AnyStateMachine } from 'xstate';
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
    let name = machine.id;
    for (let i = 2; this.#taken.has(name); i++) name = `${machine.id} ${i}`;
    this.#names.set(config, name);
    this.#taken.add(name);
    tell(name, definitionOf(machine));
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

function definitionOf(machine: AnyStateMachine): ChartDefinition {
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
