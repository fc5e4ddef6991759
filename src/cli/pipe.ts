import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionStream } from '../core/session.ts';
import type { StandardInput } from './standard-input.ts';
import type { StandardOutput } from './standard-output.ts';

/** ms that an open but silent stdin may still begin to speak after the other side has ended. */
const SILENT_INPUT = 1000;

/**
 * Joins stdin and stdout to a stream, as netcat does, and fulfils when both directions have ended and the other side
 * has read all. The end of stdin is the end of what we send. When the other side ends first, stdin is still sent to its
 * end, unless it is a terminal or has delivered nothing: then there is nobody to wait for. A reader of stdout that goes
 * away resets the stream.
 */
export async function pipeStandardStreams(
  stream: SessionStream,
  stdin: StandardInput,
  stdout: StandardOutput,
): Promise<void> {
  let sent = 0;
  const sending = (async () => {
    for (let chunk = await stdin.read(); chunk !== null; chunk = await stdin.read()) {
      sent += chunk.length;
      await stream.write(chunk);
    }
    await stream.end();
  })();
  const receiving = (async () => {
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
      if (await stdout.write(chunk)) continue;
      stream.reset();
      stdin.release();
      return;
    }
    if (sent === 0 && !process.stdin.isTTY) {
      await Promise.race([sending, sleep(SILENT_INPUT, undefined, { ref: false })]);
    }
    if (sent === 0 || process.stdin.isTTY) stdin.release();
  })();
  try {
    await Promise.all([sending, receiving]);
    await stream.finished;
  } catch (error) {
    stream.reset();
    throw error;
  } finally {
    stdin.release();
  }
}
