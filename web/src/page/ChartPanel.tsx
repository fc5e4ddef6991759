import { useRef, useState } from 'preact/hooks';
import type { ChartState } from '../../../src/trace/chart-definition.ts';
import type { Rectangle } from '../chart/layout.ts';
import { chartMermaid } from '../chart/mermaid.ts';
import { chartSvg } from '../chart/svg.ts';
import { edgeText } from '../chart/words.ts';
import type { ActorState, Moment, PeerState } from '../model/moment.ts';
import { activeStates, stateLine } from './active-states.ts';
import { ChartDrawing } from './ChartDrawing.tsx';
import { around, readable, wholeOf } from './chart-part.ts';
import { download } from './download.ts';
import { useLayout } from './layouts.ts';
import { useSize } from './use-size.ts';

export interface ChartPanelProps {
  readonly moment: Moment;
  readonly peer: PeerState;
  readonly actor: ActorState;
}

/** The chart of one actor, its tools, and what a chosen state says. */
export function ChartPanel({ moment, peer, actor }: ChartPanelProps) {
  const definition = peer.machines.get(actor.machine ?? '');
  const layout = useLayout(definition);
  const svg = useRef<SVGSVGElement>(null);
  const { size, ref: canvas } = useSize();
  const [part, setPart] = useState<Rectangle>();
  const [wantsFollow, setFollows] = useState<boolean>();
  const [chosen, setChosen] = useState<string>();
  const drag = useRef<{ x: number; y: number; part: Rectangle } | undefined>(undefined);
  if (definition === undefined) return <ActorPanel peer={peer} actor={actor} />;
  if (layout === undefined) return <p class="empty">Laying out {definition.id} …</p>;

  const active = activeStates(actor.state);
  // Before its place is measured, nothing is drawn in it.
  const place = size ?? layout;
  const whole = wholeOf(layout, place);
  const near = readable(place);
  // What cannot be read as a whole is followed until somebody looks elsewhere.
  const follows = wantsFollow ?? (layout.width > near.width || layout.height > near.height);
  const shown = follows ? around(layout, active, near, part) : (part ?? whole);
  const zoom = (factor: number, at = { x: shown.x + shown.width / 2, y: shown.y + shown.height / 2 }): void =>
    setPart({
      x: at.x - (at.x - shown.x) * factor,
      y: at.y - (at.y - shown.y) * factor,
      width: shown.width * factor,
      height: shown.height * factor,
    });
  const pointAt = ({ clientX, clientY }: MouseEvent) => {
    const matrix = svg.current!.getScreenCTM()!.inverse();
    return { x: clientX * matrix.a + matrix.e, y: clientY * matrix.d + matrix.f };
  };
  const lastAt = actor.edges.at(-1)?.at;
  const hot = new Set(actor.edges.filter(({ at }) => at === lastAt).map(({ edge }) => edge));
  const warm = new Set(actor.edges.map(({ edge }) => edge).filter((edge) => !hot.has(edge)));
  const name = `${peer.who} ${actor.name}`.replaceAll(/[^\w-]+/g, '-');

  return (
    <section class="panel chart" aria-label={`chart of ${peer.who}, ${actor.name}`}>
      <header>
        <h2>
          <b>{peer.who}</b> {actor.name}
        </h2>
        <span class="chip" title={stateLine(actor.state)}>
          {stateLine(actor.state) || actor.status}
        </span>
        <span class="tools">
          <button type="button" onClick={() => zoom(1 / 1.25)} aria-label="zoom in">
            +
          </button>
          <button type="button" onClick={() => zoom(1.25)} aria-label="zoom out">
            −
          </button>
          <button
            type="button"
            onClick={() => {
              setFollows(false);
              setPart(undefined);
            }}
          >
            Fit
          </button>
          <button
            type="button"
            aria-pressed={follows}
            onClick={() => {
              setFollows(!follows);
              if (!follows) setPart(undefined);
            }}
          >
            Follow
          </button>
          <button
            type="button"
            onClick={() => download(`${name}.svg`, 'image/svg+xml', chartSvg(layout, definition.id))}
          >
            SVG
          </button>
          <button type="button" onClick={() => download(`${name}.mmd`, 'text/plain', chartMermaid(definition))}>
            Mermaid
          </button>
        </span>
      </header>
      <div class="canvas" ref={canvas}>
        {size !== undefined && (
          <svg
            ref={svg}
            aria-label={`states of ${definition.id}`}
            viewBox={`${shown.x} ${shown.y} ${shown.width} ${shown.height}`}
            onWheel={(event) => {
              event.preventDefault();
              zoom(event.deltaY > 0 ? 1.12 : 1 / 1.12, pointAt(event));
            }}
            onPointerDown={(event) => {
              drag.current = { x: event.clientX, y: event.clientY, part: shown };
            }}
            onPointerMove={(event) => {
              if (drag.current === undefined || (event.buttons & 1) === 0) return;
              const unit = svg.current!.getScreenCTM()!.a;
              const { x, y, part } = drag.current;
              setFollows(false);
              setPart({ ...part, x: part.x - (event.clientX - x) / unit, y: part.y - (event.clientY - y) / unit });
            }}
            onPointerUp={() => {
              drag.current = undefined;
            }}
          >
            <defs>
              <marker
                id="head"
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="9"
                markerHeight="9"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path class="head" d="M0 0 8 4 0 8z" />
              </marker>
            </defs>
            <ChartDrawing {...{ layout, active, hot, warm, chosen }} onChoose={setChosen} />
          </svg>
        )}
        {chosen !== undefined && (
          <StateDetails
            state={stateOf(definition.root, chosen)}
            isActive={active.has(chosen)}
            onClose={() => setChosen(undefined)}
          />
        )}
      </div>
      <footer>
        {actor.last === undefined
          ? 'no event yet'
          : `${actor.events} ${actor.events === 1 ? 'event' : 'events'}; last ${actor.last.type}, ${Math.round(moment.at - actor.last.at)} ms before`}
      </footer>
    </section>
  );
}

/** An actor that runs no machine: what is known of it. */
function ActorPanel({ peer, actor }: { peer: PeerState; actor: ActorState }) {
  return (
    <section class="panel" aria-label={`${peer.who}, ${actor.name}`}>
      <header>
        <h2>
          <b>{peer.who}</b> {actor.name}
        </h2>
        <span class="chip">{actor.status}</span>
      </header>
      <p class="empty">It runs no machine: a promise, a callback, an observable or a function.</p>
    </section>
  );
}

function StateDetails({
  state,
  isActive,
  onClose,
}: {
  state: ChartState | undefined;
  isActive: boolean;
  onClose(): void;
}) {
  if (state === undefined) return null;
  return (
    <aside class="details" aria-label={`state ${state.key}`}>
      <button type="button" class="close" onClick={onClose} aria-label="close">
        ×
      </button>
      <h3>{state.id || state.key}</h3>
      <p>
        {state.type}
        {isActive && ', active'}
      </p>
      {state.description !== undefined && <p class="description">{state.description}</p>}
      <dl>
        <Names term="tags" names={state.tags} />
        <Names term="runs" names={state.invoke} />
        <Names term="entry" names={state.entry} />
        <Names term="exit" names={state.exit} />
        <Names
          term="edges"
          names={state.edges.map((edge) => `${edgeText(state, edge)} → ${edge.targets.join(', ') || 'stays'}`)}
        />
      </dl>
    </aside>
  );
}

function Names({ term, names = [] }: { term: string; names?: readonly string[] | undefined }) {
  if (names.length === 0) return null;
  return (
    <>
      <dt>{term}</dt>
      {names.map((name) => (
        <dd key={name}>
          <code>{name}</code>
        </dd>
      ))}
    </>
  );
}

function stateOf(state: ChartState, id: string): ChartState | undefined {
  if (state.id === id) return state;
  for (const child of state.states) {
    const found = stateOf(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}
