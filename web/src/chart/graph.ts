import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { ChartDefinition, ChartEdge, ChartState } from '../../../src/trace/chart-definition.ts';
import { type Lettering, LINE, widthOf } from './measure.ts';
import { cut, edgeText, eventText, wrap } from './words.ts';

/** A line of text within a box. */
export interface TextLine {
  readonly text: string;
  readonly lettering: Lettering;
  /** `id#index` of an edge that has no other end. */
  readonly edge?: string;
}

/** What is drawn of a state. */
export interface StateBox {
  readonly state: ChartState;
  readonly lines: readonly TextLine[];
  /** Height of the lines and the space around them. */
  readonly head: number;
}

/** Edges that have both ends in common, drawn as one. */
export interface EdgeBundle {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly edges: readonly { readonly id: string; readonly edge: ChartEdge; readonly text: string }[];
}

/** A chart as boxes and bundles, and the same as a graph for ELK, whose ids are theirs. */
export interface ChartGraph {
  readonly states: ReadonlyMap<string, StateBox>;
  readonly bundles: ReadonlyMap<string, EdgeBundle>;
  readonly elk: ElkNode;
}

export type Direction = 'DOWN' | 'RIGHT';

export function graphOf(definition: ChartDefinition, direction: Direction): ChartGraph {
  const states = new Map<string, StateBox>();
  const bundles = new Map<string, EdgeBundle>();
  const edges: ElkExtendedEdge[] = [];

  const enter = (state: ChartState): ElkNode => {
    const box = boxOf(state);
    states.set(state.id, box);
    for (const bundle of bundlesOf(state)) {
      bundles.set(bundle.id, bundle);
      edges.push(elkEdge(bundle));
    }
    const children = state.states.map(enter);
    if (state.initial !== undefined) {
      children.unshift({ id: markerId(state.id), width: MARKER, height: MARKER });
      edges.push({ id: markerId(state.id), sources: [markerId(state.id)], targets: [stateKey(state.initial)] });
    }
    return elkNode(box, children);
  };

  const root = enter(definition.root);
  return { states, bundles, elk: { id: 'chart', children: [root], edges, layoutOptions: optionsOf(direction) } };
}

/** The id of a state in the graph. */
export function stateKey(id: string): string {
  return `state:${id}`;
}

/** The id of the dot before the first child of a state, and of its arrow. */
export function markerId(id: string): string {
  return `initial:${id}`;
}

/** Width and height of that dot in pixels. */
export const MARKER = 10;
/** Space around the lines of a box. */
export const PAD = 12;

function boxOf(state: ChartState): StateBox {
  const lines: TextLine[] = [{ text: state.key, lettering: 'title' }];
  for (const text of wrap(state.description ?? '', 44)) if (text !== '') lines.push({ text, lettering: 'text' });
  for (const name of state.invoke ?? []) lines.push({ text: `⚙ ${name}`, lettering: 'code' });
  if (state.entry !== undefined) lines.push({ text: cut(`entry / ${state.entry.join(', ')}`, 46), lettering: 'code' });
  if (state.exit !== undefined) lines.push({ text: cut(`exit / ${state.exit.join(', ')}`, 46), lettering: 'code' });
  for (const [index, edge] of state.edges.entries()) {
    if (staysInside(state, edge)) {
      const again = edge.targets.length > 0 ? '↻ ' : '';
      lines.push({
        text: cut(`${again}${edgeText(state, edge)}`, 46),
        lettering: 'code',
        edge: `${state.id}#${index}`,
      });
    }
  }
  const head = 2 * PAD + lines.reduce((height, { lettering }) => height + LINE[lettering], 0);
  return { state, lines, head };
}

/** Without another end: it stands as a line in its state. */
function staysInside({ id }: ChartState, { targets }: ChartEdge): boolean {
  return targets.every((target) => target === id);
}

function bundlesOf(state: ChartState): readonly EdgeBundle[] {
  const bundles = new Map<string, EdgeBundle['edges'][number][]>();
  for (const [index, edge] of state.edges.entries()) {
    if (staysInside(state, edge)) continue;
    const text = cut(bundleText(state, edge), 40);
    for (const target of edge.targets) {
      const edges = bundles.get(target) ?? [];
      bundles.set(target, edges);
      edges.push({ id: `${state.id}#${index}`, edge, text });
    }
  }
  return [...bundles].map(([target, edges]) => ({ id: `edge:${state.id}>${target}`, source: state.id, target, edges }));
}

function bundleText(state: ChartState, edge: ChartEdge): string {
  const event = eventText(state, edge);
  return edge.guard === undefined ? event : `${event} [${edge.guard}]`;
}

function elkEdge({ id, source, target, edges }: EdgeBundle): ElkExtendedEdge {
  const width = Math.max(...edges.map(({ text }) => widthOf(text, 'code'))) + 8;
  const label = { id: `${id}:label`, text: id, width, height: edges.length * LINE.code + 4 };
  return { id, sources: [stateKey(source)], targets: [stateKey(target)], labels: [label] };
}

function elkNode({ state, lines, head }: StateBox, children: ElkNode[]): ElkNode {
  const width = Math.max(64, ...lines.map(({ text, lettering }) => widthOf(text, lettering))) + 2 * PAD;
  const id = stateKey(state.id);
  if (children.length === 0) return { id, width, height: head };
  return {
    id,
    children,
    layoutOptions: {
      'elk.padding': `[top=${head + 4},left=20,bottom=20,right=20]`,
      ...ONWARDS,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${head})`,
    },
  };
}

function optionsOf(direction: Direction): Record<string, string> {
  return {
    'elk.algorithm': 'layered',
    'elk.direction': direction,
    'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
    'elk.edgeRouting': 'ORTHOGONAL',
    'elk.json.shapeCoords': 'ROOT',
    'elk.json.edgeCoords': 'ROOT',
    'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    ...ONWARDS,
    'elk.layered.spacing.nodeNodeBetweenLayers': '32',
    'elk.layered.spacing.edgeNodeBetweenLayers': '16',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
    'elk.spacing.nodeNode': '28',
    'elk.spacing.edgeNode': '16',
    'elk.spacing.edgeEdge': '12',
    'elk.spacing.edgeLabel': '4',
    'elk.padding': '[top=12,left=12,bottom=12,right=12]',
  };
}

/** From initial states onwards: what leads back to a state that was there before is drawn backwards. */
const ONWARDS = { 'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST' };
