import { expect } from 'vitest';
import { type Replay, replayTrace, type TraceRecord } from '../../src/trace/index.ts';

/** Lines of a trace that somebody changed: the first record that fits, by `change`; `undefined` takes the line away. */
export function changed(
  lines: readonly string[],
  fits: (record: TraceRecord) => boolean,
  change: (record: TraceRecord) => object | undefined,
): { readonly lines: readonly string[]; readonly line: number } {
  const at = lines.findIndex((text, i) => i > 0 && fits(JSON.parse(text)));
  expect(at).toBeGreaterThan(0);
  const after = change(JSON.parse(lines[at]!));
  const put = after === undefined ? [] : [JSON.stringify(after)];
  return { lines: lines.toSpliced(at, 1, ...put), line: at + 1 };
}

/** Replays lines that differ, and gives the difference. */
export async function differenceIn(lines: readonly string[]): Promise<NonNullable<Replay['differs']>> {
  const { differs } = await replayTrace(lines);
  expect(differs).toBeDefined();
  return differs!;
}

/** The forms in which a secret might stand in a text. */
export function formsOf(secret: Uint8Array | string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [bytes.toString('latin1'), bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
}
