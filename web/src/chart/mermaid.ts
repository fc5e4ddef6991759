import type { ChartDefinition, ChartState } from '../../../src/trace/chart-definition.ts';
import { edgeText } from './words.ts';

/** The chart as a `stateDiagram-v2` of mermaid. Edges out of a parallel state's regions are drawn by their names alone. */
export function chartMermaid({ root }: ChartDefinition): string {
  const lines = ['stateDiagram-v2'];
  const write = (state: ChartState, depth: number): void => {
    const indent = '  '.repeat(depth);
    if (state.initial !== undefined) lines.push(`${indent}[*] --> ${nameOf(state.initial)}`);
    for (const [index, child] of state.states.entries()) {
      if (state.type === 'parallel' && index > 0) lines.push(`${indent}--`);
      lines.push(`${indent}state "${textOf(child.key)}" as ${nameOf(child.id)}`);
      if (child.description !== undefined) lines.push(`${indent}${nameOf(child.id)} : ${textOf(child.description)}`);
      if (child.states.length === 0) continue;
      lines.push(`${indent}state ${nameOf(child.id)} {`);
      write(child, depth + 1);
      lines.push(`${indent}}`);
    }
  };
  write(root, 1);
  for (const state of everyState(root)) {
    for (const edge of state.edges) {
      // The machine itself has no name in mermaid.
      if (state.id === '') continue;
      for (const target of edge.targets)
        lines.push(`  ${nameOf(state.id)} --> ${nameOf(target)} : ${textOf(edgeText(state, edge))}`);
    }
    if (state.type === 'final') lines.push(`  ${nameOf(state.id)} --> [*]`);
  }
  return `${lines.join('\n')}\n`;
}

function everyState(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(everyState)];
}

function nameOf(id: string): string {
  return id.replaceAll(/[^\w]/g, '_');
}

/** Without what mermaid takes for its own. */
function textOf(text: string): string {
  return text.replaceAll(/["#;{}\n]/g, ' ').replaceAll(':', '꞉');
}
