import { streamBetween } from '../peer/transfer.ts';
import type { Standing } from './victims.ts';

/** Bytes that go to and fro on a stream, to see whether and for how long an attack holds them up. */
export interface Heartbeat {
  /** Echoes so far. */
  readonly beats: number;
  /** The longest time between two echoes in ms, the one that is awaited included. */
  longest(): number;
  /** Ends the stream; fulfils when every byte has come back. Rejects when the stream has broken. */
  stop(): Promise<void>;
}

/** Sends a byte every `INTERVAL` ms, whether or not the last one has come back. */
export async function startHeartbeat({ here, there }: Pick<Standing, 'here' | 'there'>): Promise<Heartbeat> {
  const [opened, accepted] = await streamBetween(here, there);
  let sent = 0;
  let beats = 0;
  let longest = 0;
  let last = performance.now();
  let broken: unknown;
  let timer: NodeJS.Timeout | undefined;

  const fail = (error: unknown): void => {
    clearInterval(timer);
    broken ??= error;
  };
  const echoing = (async () => {
    for (let chunk = await accepted.read(); chunk !== null; chunk = await accepted.read()) await accepted.write(chunk);
    await accepted.end();
  })().catch(fail);
  const listening = (async () => {
    for (let chunk = await opened.read(); chunk !== null; chunk = await opened.read()) {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      beats += chunk.length;
    }
  })().catch(fail);
  let writing = Promise.resolve();
  timer = setInterval(() => {
    sent++;
    writing = writing.then(() => opened.write(Uint8Array.of(1))).catch(fail);
  }, INTERVAL);

  return {
    get beats() {
      return beats;
    },
    longest: () => Math.max(longest, performance.now() - last),
    async stop() {
      clearInterval(timer);
      await writing;
      await opened.end().catch(fail);
      await Promise.all([echoing, listening]);
      if (broken !== undefined) throw broken;
      if (beats !== sent) throw new Error(`${sent} bytes were sent and ${beats} came back`);
    },
  };
}

/** ms. */
const INTERVAL = 20;
