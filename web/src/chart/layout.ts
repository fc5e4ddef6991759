import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { ChartDefinition } from '../../../src/trace/chart-definition.ts';
import {
  type ChartGraph,
  type Direction,
  type EdgeBundle,
  graphOf,
  markerId,
  type StateBox,
  stateKey,
} from './graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

/** A chart with everything at its place, in pixels from its upper left corner. Outer states come before inner ones. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly states: readonly (StateBox & { readonly at: Rectangle })[];
  readonly edges: readonly (EdgeBundle & { readonly route: readonly Point[]; readonly label: Rectangle })[];
  /** The dots of initial states, and the way from each to the state. */
  readonly markers: readonly { readonly state: string; readonly at: Rectangle; readonly route: readonly Point[] }[];
}

/** What `elkjs` exports, in this thread or in a worker. */
export interface LayoutEngine {
  layout(graph: ElkNode): Promise<ElkNode>;
}

/** Lays a chart out downwards and to the right, and takes what fits better into a picture of that width by height. */
export async function layoutChart(definition: ChartDefinition, elk: LayoutEngine, aspect = 16 / 10): Promise<Layout> {
  const layouts: Layout[] = [];
  for (const direction of DIRECTIONS) {
    const graph = graphOf(definition, direction);
    layouts.push(read(graph, await elk.layout(graph.elk)));
  }
  return layouts.reduce((best, other) => (scale(other, aspect) > scale(best, aspect) ? other : best));
}

const DIRECTIONS: readonly Direction[] = ['DOWN', 'RIGHT'];

/** How large the chart can be drawn in a picture of that aspect and one pixel's height. */
function scale({ width, height }: Layout, aspect: number): number {
  return Math.min(aspect / width, 1 / height);
}

function read({ states, bundles }: ChartGraph, chart: ElkNode): Layout {
  const nodes = new Map<string, ElkNode>();
  const edges = new Map<string, ElkExtendedEdge>();
  const collect = (node: ElkNode): void => {
    nodes.set(node.id, node);
    for (const edge of node.edges ?? []) edges.set(edge.id, edge);
    node.children?.forEach(collect);
  };
  collect(chart);
  return {
    width: chart.width ?? 0,
    height: chart.height ?? 0,
    states: [...states].map(([id, box]) => ({ ...box, at: rectangleOf(nodes.get(stateKey(id))) })),
    edges: [...bundles.values()].map((bundle) => {
      const edge = edges.get(bundle.id);
      return { ...bundle, route: routeOf(edge), label: rectangleOf(edge?.labels?.[0]) };
    }),
    markers: [...states.keys()].flatMap((state) => {
      const node = nodes.get(markerId(state));
      return node === undefined ? [] : [{ state, at: rectangleOf(node), route: routeOf(edges.get(markerId(state))) }];
    }),
  };
}

function rectangleOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Rectangle> = {}): Rectangle {
  return { x, y, width, height };
}

function routeOf(edge: ElkExtendedEdge | undefined): readonly Point[] {
  return (edge?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map(({ x, y }) => ({ x, y })),
  );
}
