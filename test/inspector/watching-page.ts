import WebSocket from 'ws';
import type { ViewerFrame } from '../../src/inspector/wire.ts';
import type { TraceRecord } from '../../src/trace/index.ts';

/** A page that watches a hub, and what waits for the frames that it is sent. */
export class WatchingPage implements Disposable {
  readonly socket: WebSocket;
  readonly frames: ViewerFrame[] = [];
  readonly lines: string[] = [];
  readonly records: TraceRecord[] = [];
  #wake = (): void => {};

  /** `url` is the one that a hub gives to people. */
  constructor(url: string) {
    const { origin, host, search } = new URL(url);
    this.socket = new WebSocket(`ws://${host}/view${search}`, { origin });
    this.socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as ViewerFrame;
      this.frames.push(frame);
      for (const line of frame.type === 'lines' ? frame.lines : []) {
        this.lines.push(line);
        this.records.push(JSON.parse(line));
      }
      this.#wake();
    });
  }

  untilFrame(matches: (frame: ViewerFrame) => boolean): Promise<ViewerFrame> {
    return this.#until(() => this.frames.find(matches));
  }

  untilRecord(matches: (record: TraceRecord) => boolean): Promise<TraceRecord> {
    return this.#until(() => this.records.find(matches));
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
