import { useState } from 'preact/hooks';
import { cut } from '../chart/words.ts';
import type { Moment } from '../model/moment.ts';
import { momentText } from './moment-text.ts';
import { sequenceOf } from './sequence.ts';
import type { Store } from './store.ts';

/** What was said between peers, NATs and servers, up to the moment: time goes down. */
export function SequenceView({ store, moment }: { store: Store; moment: Moment }) {
  const [unfolded, setUnfolded] = useState(false);
  const { entries, forgotten } = store.recording;
  const end = moment.index - forgotten + 1;
  const { lanes, messages } = sequenceOf(entries.slice(Math.max(0, end - REACH), end), unfolded);
  const found = messages.filter(({ from, to, label }) => `${from} ${to} ${label}`.includes(store.search)).slice(-MOST);
  const x = (lane: string): number => LEFT + lanes.indexOf(lane) * LANE;
  const width = LEFT + Math.max(1, lanes.length) * LANE;
  return (
    <section class="panel scrolls sequence" aria-label="sequence">
      <header>
        <h2>Signalling and packets</h2>
        <span class="tools">
          <button type="button" aria-pressed={!unfolded} onClick={() => setUnfolded(!unfolded)}>
            Fold repeats
          </button>
        </span>
      </header>
      {found.length === 0 && <p class="empty">Nothing was said up to this moment.</p>}
      <svg width={width} height={TOP + found.length * ROW + 16} aria-label="sequence diagram">
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path class="head" d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        {lanes.map((lane) => (
          <g key={lane}>
            <path class="lane" d={`M${x(lane)} ${TOP - 8}V${TOP + found.length * ROW}`} />
            <text class="title" text-anchor="middle" x={x(lane)} y={20}>
              <title>{lane}</title>
              {cut(lane, 18)}
            </text>
          </g>
        ))}
        {found.map(({ index, at, until, from, to, label, kind, count }, i) => {
          const y = TOP + i * ROW + 18;
          const text = count > 1 ? `${label} ×${count}` : label;
          const middle = from === to ? x(from) + 10 : (x(from) + x(to)) / 2;
          return (
            <g key={index} class={kind}>
              <title>{count > 1 ? `${momentText(at)} … ${momentText(until)} s` : `${momentText(at)} s`}</title>
              <text
                class="time"
                role="button"
                tabindex={0}
                x={8}
                y={y + 4}
                onClick={() => store.change(() => store.playhead.seek(index))}
                onKeyDown={({ key }) => key === 'Enter' && store.change(() => store.playhead.seek(index))}
              >
                {momentText(at)}
              </text>
              {from === to ? (
                <text class="mark" text-anchor="middle" x={x(from)} y={y + 4}>
                  {kind === 'dropped' ? '✗' : '⇄'}
                </text>
              ) : (
                <path class="edge" marker-end="url(#tip)" d={`M${x(from)} ${y}H${x(to)}`} />
              )}
              <text
                class="code"
                text-anchor={from === to ? 'start' : 'middle'}
                x={middle}
                y={from === to ? y + 4 : y - 4}
              >
                {text}
              </text>
            </g>
          );
        })}
      </svg>
    </section>
  );
}

const LEFT = 150;
const LANE = 160;
const TOP = 36;
const ROW = 24;
/** Entries before the moment that are looked at, and messages that are drawn. */
const REACH = 20_000;
const MOST = 500;
