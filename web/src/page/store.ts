import type { ViewerFrame } from '../../../src/inspector/wire.ts';
import type { Moment, PeerState, Source } from '../model/moment.ts';
import { Recording } from '../model/recording.ts';
import type { HubState } from './hub-client.ts';
import { Playhead } from './playhead.ts';
import { type OpenedTrace, readTraceText } from './trace-text.ts';

export const VIEWS = ['charts', 'sequence', 'network', 'nats', 'verdict', 'log'] as const;
export type View = (typeof VIEWS)[number];

/** What the page knows and what is chosen on it. Changes are told once a frame, however many there are. */
export class Store {
  recording = new Recording();
  readonly playhead = new Playhead();
  hub: HubState = 'connecting';
  view: View = 'charts';
  search = '';
  /** Something that people should read. */
  notice = '';
  isHelpOpen = false;
  /** Lines that programs told and that are nowhere to be had. */
  missed = 0;
  /** Actor that is shown, by peer. */
  readonly #actors = new Map<string, string>();
  /** Keys of peers that are shown, once they were chosen. */
  #shown: readonly string[] | undefined;
  /** Traces that were opened here: a hub that comes back does not know them. */
  readonly #opened = new Map<string, OpenedTrace & { readonly title: string }>();
  #listener = (): void => {};
  #frame: number | undefined;
  #lastFrame = 0;
  /** ms of the axis to look at as soon as it is there. */
  #sought: number | undefined;

  /** Calls back when something has changed; `fragment`: of the page's address. */
  begin(listener: () => void, fragment: string): void {
    this.#listener = listener;
    const link = new URLSearchParams(fragment.slice(1));
    const view = VIEWS.find((one) => one === link.get('view'));
    if (view !== undefined) this.view = view;
    if (link.has('at')) this.#sought = Number(link.get('at'));
  }

  /** What was known at the moment that is looked at. */
  get moment(): Moment {
    return this.recording.moment(this.playhead.indexIn(this.recording));
  }

  /** Fragment of an address that leads here. */
  get link(): string {
    return `#view=${this.view}&at=${this.moment.at}`;
  }

  show(view: View): void {
    this.view = view;
  }

  change(change: (store: this) => void): void {
    change(this);
    this.#tell();
  }

  onFrame(frame: ViewerFrame): void {
    switch (frame.type) {
      case 'hello':
        // A hub tells everything that it has: what it told before would be there twice.
        this.recording = new Recording();
        this.missed = 0;
        for (const [id, { title, header, lines }] of this.#opened) this.#add({ id, title, header, live: false }, lines);
        break;
      case 'source': {
        const { id, title, live, header } = frame;
        this.#add({ id: `hub-${id}`, title, live, header }, []);
        break;
      }
      case 'lines':
        this.#append(`hub-${frame.source}`, frame.lines);
        break;
      case 'gap':
        this.missed += frame.records;
        break;
      case 'ended':
        this.#end(`hub-${frame.source}`);
        break;
      case 'removed':
        // What the hub keeps no more can still be seen here.
        break;
    }
    this.#seekLinked();
    this.#tell();
  }

  openTrace(title: string, text: string): void {
    try {
      const trace = readTraceText(text);
      const id = `file-${this.#opened.size + 1}`;
      this.notice = '';
      this.#opened.set(id, { ...trace, title });
      this.#add({ id, title, header: trace.header, live: false }, trace.lines);
      this.#seekLinked();
    } catch (error) {
      this.notice = `${title}: ${(error as Error).message}`;
    }
    this.#tell();
  }

  /** Peers side by side: those that were chosen, else the last two that have a connection. */
  shownPeers({ peers }: Moment): readonly PeerState[] {
    if (this.#shown !== undefined) return this.#shown.flatMap((key) => peers.get(key) ?? []);
    const all = [...peers.values()];
    const connected = all.filter(({ actors }) => [...actors.values()].some(({ machine }) => machine === 'connection'));
    return (connected.length > 0 ? connected : all).slice(-2);
  }

  /** The actor of that peer that was chosen, else its last connection, else its first that runs a machine. */
  shownActor(peer: PeerState): string | undefined {
    const chosen = this.#actors.get(peer.key);
    if (chosen !== undefined && peer.actors.has(chosen)) return chosen;
    const actors = [...peer.actors.values()].filter(({ machine }) => machine !== undefined);
    return (
      actors.findLast(({ machine }) => machine === 'connection') ??
      actors.find(({ machine }) => machine === 'peer') ??
      actors[0]
    )?.name;
  }

  showActor(peer: PeerState, actor: string): void {
    const shown = this.shownPeers(this.moment).map(({ key }) => key);
    this.#shown = shown.includes(peer.key) ? shown : [...shown, peer.key].slice(-MOST_SHOWN);
    this.#actors.set(peer.key, actor);
    this.view = 'charts';
    this.#tell();
  }

  /** Shows a peer beside the others, or no more; the last one stays. */
  togglePeer(peer: PeerState): void {
    const shown = this.shownPeers(this.moment).map(({ key }) => key);
    const others = shown.filter((key) => key !== peer.key);
    if (others.length === shown.length) this.#shown = [...shown, peer.key].slice(-MOST_SHOWN);
    else if (others.length > 0) this.#shown = others;
    this.#tell();
  }

  #add(source: Source, lines: readonly string[]): void {
    this.recording.open(source);
    this.#append(source.id, lines);
  }

  #append(id: string, lines: readonly string[]): void {
    const malformed = this.recording.append(id, lines);
    const title = this.recording.sources.find((source) => source.id === id)?.title;
    if (malformed > 0) this.notice = `${title}: ${malformed} lines are no records, and were left out.`;
  }

  #end(id: string): void {
    const source = this.recording.sources.find((one) => one.id === id);
    if (source !== undefined) this.recording.open({ ...source, live: false });
  }

  #seekLinked(): void {
    const last = this.recording.entries.at(-1);
    if (this.#sought === undefined || last === undefined || last.at < this.#sought) return;
    this.playhead.seek(this.recording.indexAt(this.#sought));
    this.#sought = undefined;
  }

  #tell(): void {
    this.#frame ??= requestAnimationFrame((now) => {
      this.#frame = undefined;
      this.playhead.advance(this.recording, Math.min(now - this.#lastFrame, 100));
      this.#lastFrame = now;
      this.#listener();
      if (this.playhead.isPlaying) this.#tell();
    });
  }
}

/** Peers that stand side by side. */
const MOST_SHOWN = 3;
