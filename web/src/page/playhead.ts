import type { Recording } from '../model/recording.ts';

/** Where on the axis of time the page looks: at the end, as it grows; at one entry; or moving on from there. */
export class Playhead {
  /** Index of the last entry that is seen; absent: the newest. */
  #index: number | undefined;
  /** ms of the axis while it plays. */
  #at: number | undefined;
  speed = 1;

  get isLive(): boolean {
    return this.#index === undefined;
  }

  get isPlaying(): boolean {
    return this.#at !== undefined;
  }

  indexIn({ entries, forgotten }: Recording): number {
    const last = forgotten + entries.length - 1;
    return Math.min(this.#index ?? last, last);
  }

  goLive(): void {
    this.#index = undefined;
    this.#at = undefined;
  }

  /** Stands at that entry. */
  seek(index: number): void {
    this.#index = Math.max(-1, index);
    this.#at = undefined;
  }

  step(recording: Recording, by: number): void {
    const last = recording.forgotten + recording.entries.length - 1;
    this.seek(Math.min(last, this.indexIn(recording) + by));
  }

  /** From where it stands; from the beginning when it is at the end. */
  play(recording: Recording): void {
    const last = recording.forgotten + recording.entries.length - 1;
    const index = this.indexIn(recording);
    const from = index >= last ? recording.forgotten : index;
    this.#index = from;
    this.#at = recording.entries[from - recording.forgotten]?.at ?? 0;
  }

  pause(recording: Recording): void {
    this.seek(this.indexIn(recording));
  }

  /** Time went on by that many ms. Ends at the newest entry. */
  advance(recording: Recording, elapsed: number): void {
    if (this.#at === undefined) return;
    this.#at += elapsed * this.speed;
    this.#index = Math.max(this.#index ?? 0, recording.indexAt(this.#at));
    if (this.#index >= recording.forgotten + recording.entries.length - 1) this.#at = undefined;
  }
}
