import { MARKER, PAD, type TextLine } from '../chart/graph.ts';
import type { Layout, Rectangle } from '../chart/layout.ts';
import { LINE } from '../chart/measure.ts';
import { routePath } from '../chart/svg.ts';

interface Lit {
  readonly active: ReadonlySet<string>;
  /** Edges of the last event, as `state#index`. */
  readonly hot: ReadonlySet<string>;
  /** Edges that were taken before it. */
  readonly warm: ReadonlySet<string>;
}

export interface ChartDrawingProps extends Lit {
  readonly layout: Layout;
  readonly chosen?: string | undefined;
  readonly onChoose: (state: string) => void;
}

/** A chart as it stands at a moment. */
export function ChartDrawing({ layout, chosen, onChoose, ...lit }: ChartDrawingProps) {
  return (
    <>
      {layout.states.map(({ state, lines, at, head }) => (
        <g
          key={state.id}
          class={`state ${state.type}${lit.active.has(state.id) ? ' active' : ''}${chosen === state.id ? ' chosen' : ''}`}
          tabindex={0}
          role="button"
          aria-label={`state ${state.id || state.key}${lit.active.has(state.id) ? ', active' : ''}`}
          data-state={state.id}
          onClick={(event) => {
            event.stopPropagation();
            onChoose(state.id);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === ' ') onChoose(state.id);
          }}
        >
          <Box at={at} radius={8} style="box" />
          {state.type === 'final' && <Box at={inset(at)} radius={6} style="box inner" />}
          {state.states.length > 0 && <path class="rule" d={`M${at.x} ${at.y + head - 4}h${at.width}`} />}
          <Lines lines={lines} x={at.x + PAD} top={at.y + PAD} lit={lit} />
        </g>
      ))}
      {layout.markers.map(({ state, at, route }) => (
        <g key={state}>
          <circle class="dot" cx={at.x + MARKER / 2} cy={at.y + MARKER / 2} r={MARKER / 2} />
          <path class="edge" marker-end="url(#head)" d={routePath(route)} />
        </g>
      ))}
      {layout.edges.map(({ id, edges, route, label }) => (
        <g key={id} class={heat(lit, edges)} data-edge={id}>
          <path class="edge" marker-end="url(#head)" d={routePath(route)} />
          <Box at={label} radius={3} style="plate" />
          <Lines
            lines={edges.map(({ id: edge, text }) => ({ text, lettering: 'code', edge }))}
            x={label.x + 4}
            top={label.y + 2}
            lit={lit}
          />
        </g>
      ))}
    </>
  );
}

function Lines({ lines, x, top, lit }: { lines: readonly TextLine[]; x: number; top: number; lit: Lit }) {
  let y = top;
  return (
    <>
      {lines.map(({ text, lettering, edge }) => {
        y += LINE[lettering];
        return (
          <text key={y} class={`${lettering} ${heat(lit, edge === undefined ? [] : [{ id: edge }])}`} x={x} y={y - 5}>
            {text}
          </text>
        );
      })}
    </>
  );
}

function Box({ at, radius, style }: { at: Rectangle; radius: number; style: string }) {
  return <rect class={style} x={at.x} y={at.y} width={at.width} height={at.height} rx={radius} />;
}

function inset({ x, y, width, height }: Rectangle): Rectangle {
  return { x: x + 3, y: y + 3, width: width - 6, height: height - 6 };
}

function heat({ hot, warm }: Lit, edges: readonly { readonly id: string }[]): string {
  if (edges.some(({ id }) => hot.has(id))) return 'hot';
  return edges.some(({ id }) => warm.has(id)) ? 'warm' : '';
}
