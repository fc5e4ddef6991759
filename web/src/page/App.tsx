import { useEffect, useRef } from 'preact/hooks';
import type { Moment } from '../model/moment.ts';
import { ActorTree } from './ActorTree.tsx';
import { ChartPanel } from './ChartPanel.tsx';
import { download } from './download.ts';
import { Help } from './Help.tsx';
import { LogView } from './LogView.tsx';
import { NatsView } from './NatsView.tsx';
import { NetworkView } from './NetworkView.tsx';
import { SequenceView } from './SequenceView.tsx';
import { type Store, VIEWS } from './store.ts';
import { Timeline } from './Timeline.tsx';
import { writeTraceText } from './trace-text.ts';
import { VerdictView } from './VerdictView.tsx';

export function App({ store }: { store: Store }) {
  const { moment, recording, view } = store;
  useKeys(store);
  const open = (files: Iterable<File>): void => {
    for (const file of files) void file.text().then((text) => store.openTrace(file.name, text));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can be dropped anywhere; the button Open does the same
    <div
      class="app"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        open(event.dataTransfer?.files ?? []);
      }}
    >
      <header class="top">
        <h1>Sallyport</h1>
        <span class={`hub ${store.hub}`} role="status">
          {HUB_WORDS[store.hub]}
        </span>
        <input
          type="search"
          placeholder="Search  /"
          aria-label="search"
          value={store.search}
          onInput={({ currentTarget }) =>
            store.change((it) => {
              it.search = currentTarget.value;
            })
          }
        />
        <div class="views" role="tablist" aria-label="views">
          {VIEWS.map((name, i) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={view === name}
              title={`key ${i + 1}`}
              onClick={() => store.change((it) => it.show(name))}
            >
              {name === 'nats' ? 'NATs' : name}
            </button>
          ))}
        </div>
        <OpenButton onFiles={open} />
        <button type="button" disabled={recording.sources.length === 0} onClick={() => save(store)}>
          Save
        </button>
        <button type="button" onClick={changeTheme} aria-label="light or dark">
          ◐
        </button>
        <button type="button" onClick={() => toggleHelp(store)} aria-label="help">
          ?
        </button>
      </header>
      {store.notice !== '' && (
        <p class="notice" role="alert">
          {store.notice}
          <button
            type="button"
            aria-label="dismiss"
            onClick={() =>
              store.change((it) => {
                it.notice = '';
              })
            }
          >
            ×
          </button>
        </p>
      )}
      <ActorTree store={store} moment={moment} />
      <main aria-label={view}>
        <Shown store={store} moment={moment} />
      </main>
      <Timeline store={store} moment={moment} />
      {store.isHelpOpen && <Help onClose={() => toggleHelp(store)} />}
    </div>
  );
}

function Shown({ store, moment }: { store: Store; moment: Moment }) {
  if (store.recording.entries.length === 0) {
    return (
      <div class="welcome">
        <h2>Nothing to see yet</h2>
        <p>
          Start a program with <code>--inspect</code>, or set <code>SALLYPORT_INSPECT</code>, or drop a trace here that{' '}
          <code>--trace</code> wrote.
        </p>
      </div>
    );
  }
  const peers = store.shownPeers(moment);
  switch (store.view) {
    case 'charts':
      return (
        <div class="side-by-side">
          {peers.map((peer) => {
            const actor = peer.actors.get(store.shownActor(peer) ?? '');
            return actor && <ChartPanel key={`${peer.key} ${actor.name}`} {...{ moment, peer, actor }} />;
          })}
        </div>
      );
    case 'sequence':
      return <SequenceView store={store} moment={moment} />;
    case 'network':
      return (
        <div class="side-by-side">
          {peers.map((peer) => (
            <NetworkView key={peer.key} peer={peer} />
          ))}
        </div>
      );
    case 'nats':
      return <NatsView moment={moment} />;
    case 'verdict':
      return (
        <div class="side-by-side">
          {peers.map((peer) => (
            <VerdictView key={peer.key} peer={peer} />
          ))}
        </div>
      );
    case 'log':
      return <LogView store={store} moment={moment} />;
  }
}

const HUB_WORDS = { connecting: 'connecting …', connected: 'connected', lost: 'hub lost, trying again' } as const;

function OpenButton({ onFiles }: { onFiles(files: Iterable<File>): void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".jsonl,.json,.txt"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
      <button type="button" onClick={() => input.current!.click()}>
        Open
      </button>
    </>
  );
}

/** Each source is a trace of its own: it can be opened again, beside the others. */
function save({ recording }: Store): void {
  for (const source of recording.sources) {
    const name = `${source.title.replaceAll(/[^\w.-]+/g, '-')}.jsonl`.replace('.jsonl.jsonl', '.jsonl');
    download(name, 'application/jsonl', writeTraceText(source, recording.entries));
  }
}

function changeTheme(): void {
  const root = document.documentElement;
  const isDark =
    (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  root.dataset.theme = isDark ? 'light' : 'dark';
}

function toggleHelp(store: Store): void {
  store.change((it) => {
    it.isHelpOpen = !it.isHelpOpen;
  });
}

function useKeys(store: Store): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // The axis is an input, too, whose keys are ours.
      if (target.matches('input[type=search], select')) {
        if (event.key === 'Escape') target.blur();
        return;
      }
      const { playhead, recording } = store;
      const act: Record<string, (() => void) | undefined> = {
        '/': () => document.querySelector<HTMLInputElement>('input[type=search]')?.focus(),
        '?': () => toggleHelp(store),
        ' ': target.closest('button, [role=button]') === null ? () => togglePlay(store) : undefined,
        ArrowLeft: () => playhead.step(recording, -1),
        ArrowRight: () => playhead.step(recording, 1),
        Home: () => playhead.seek(recording.forgotten),
        End: () => playhead.goLive(),
        l: () => playhead.goLive(),
        Escape: () => {
          store.isHelpOpen = false;
        },
      };
      const view = VIEWS[Number(event.key) - 1];
      const action = view === undefined ? act[event.key] : () => store.show(view);
      if (action === undefined) return;
      event.preventDefault();
      store.change(action);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [store]);
}

function togglePlay({ playhead, recording }: Store): void {
  if (playhead.isPlaying || playhead.isLive) playhead.pause(recording);
  else playhead.play(recording);
}
