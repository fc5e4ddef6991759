import { useEffect, useRef } from 'preact/hooks';
import type { Moment } from '../model/moment.ts';
import { Icon } from './Icon.tsx';
import { momentText } from './moment-text.ts';
import type { Store } from './store.ts';

/** The one axis of time: where things happened, and where the page looks. */
export function Timeline({ store, moment }: { store: Store; moment: Moment }) {
  const { playhead, recording } = store;
  const { entries, forgotten } = recording;
  const from = entries[0]?.at ?? 0;
  const to = entries.at(-1)?.at ?? 0;
  const change = (act: () => void) => () => store.change(act);
  return (
    <section class="timeline" aria-label="time">
      <span class="tools">
        <button type="button" onClick={change(() => playhead.step(recording, -1))} aria-label="step back">
          <Icon name="back" />
        </button>
        {playhead.isPlaying || playhead.isLive ? (
          <button type="button" onClick={change(() => playhead.pause(recording))} aria-label="pause">
            <Icon name="pause" />
          </button>
        ) : (
          <button type="button" onClick={change(() => playhead.play(recording))} aria-label="play">
            <Icon name="play" />
          </button>
        )}
        <button type="button" onClick={change(() => playhead.step(recording, 1))} aria-label="step forward">
          <Icon name="forward" />
        </button>
        <select
          aria-label="speed"
          value={String(playhead.speed)}
          onChange={({ currentTarget }) =>
            store.change(() => {
              playhead.speed = Number(currentTarget.value);
            })
          }
        >
          {[0.01, 0.1, 0.5, 1, 2, 10].map((speed) => (
            <option key={speed} value={String(speed)}>
              {speed}×
            </option>
          ))}
        </select>
        <button type="button" aria-pressed={playhead.isLive} onClick={change(() => playhead.goLive())}>
          Live
        </button>
      </span>
      <div class="axis">
        <Density store={store} from={from} to={to} />
        <input
          type="range"
          aria-label="moment"
          aria-valuetext={`${momentText(moment.at)} s`}
          min={from}
          max={to}
          step="any"
          value={Math.max(from, moment.at)}
          onInput={({ currentTarget }) =>
            store.change(() => playhead.seek(recording.indexAt(Number(currentTarget.value) + 1e-6)))
          }
        />
      </div>
      <output>
        {momentText(moment.at)} s
        <span class="count">
          {moment.index + 1} of {forgotten + entries.length}
          {store.missed + forgotten > 0 && `, ${store.missed + forgotten} not kept`}
        </span>
      </output>
      <button
        type="button"
        title="copies a link to this moment"
        onClick={() => {
          history.replaceState(null, '', store.link);
          void navigator.clipboard?.writeText(location.href);
        }}
      >
        Link
      </button>
    </section>
  );
}

/** How much happened when: bars of a canvas, the tallest where most did. */
function Density({ store, from, to }: { store: Store; from: number; to: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawnAt = useRef(0);
  const { entries } = store.recording;
  useEffect(() => {
    const now = performance.now();
    // Of a busy program a few pictures a second do.
    if (canvas.current === null || (entries.length > 20_000 && now - drawnAt.current < 500)) return;
    drawnAt.current = now;
    const { clientWidth: width, clientHeight: height } = canvas.current;
    canvas.current.width = width;
    canvas.current.height = height;
    const counts = new Uint32Array(Math.max(1, Math.ceil(width / 3)));
    const scale = (counts.length - 1) / Math.max(to - from, 1e-9);
    for (const { at } of entries) counts[Math.floor((at - from) * scale)]! += 1;
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    const context = canvas.current.getContext('2d')!;
    context.fillStyle = getComputedStyle(canvas.current).color;
    for (const [i, count] of counts.entries()) {
      const tall = count === 0 ? 0 : Math.max(2, (Math.log1p(count) / Math.log1p(most)) * height);
      context.fillRect(i * 3, height - tall, 2, tall);
    }
  }, [entries.length, from, to]);
  return <canvas ref={canvas} />;
}
