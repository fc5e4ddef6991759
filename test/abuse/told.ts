import { closeFrame, type RawSocket } from '../server/raw-frames.ts';

/** What offenders were told, and how often: an HTTP status, a close code with its reason, or nothing. */
export type Told = Record<string, number>;

export function tell(told: Told, what: string): void {
  told[what] = (told[what] ?? 0) + 1;
}

/** Notes what a connection is told in the end, unless it is ended from here because the attack is over. */
export function noteEnd(told: Told, { ended }: RawSocket, signal: AbortSignal): void {
  ended.then((text) => {
    if (signal.aborted) return;
    const status = /^HTTP\/1\.1 ([45]\d\d)/.exec(text)?.[1];
    const close = status === undefined ? closeFrame(text) : undefined;
    if (status !== undefined) tell(told, `HTTP ${status}`);
    else tell(told, close === undefined ? 'ended without a word' : `${close.code} ${close.reason}`.trim());
  });
}
