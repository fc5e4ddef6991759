import { judge, kindOf } from './fuzz.ts';
import type { Target } from './target.ts';

/** A shorter input that is a finding for the same reason: pieces are left out, ever smaller ones, while it stays one. */
export async function shrink(target: Target, input: Uint8Array, reason: string): Promise<Uint8Array> {
  const kind = kindOf(reason);
  let shortest = input;
  let tries = 0;
  for (let piece = Math.ceil(input.length / 2); piece >= 1; piece = piece > 1 ? Math.ceil(piece / 2) : 0) {
    for (let at = 0; at < shortest.length && tries < MAX_TRIES; tries++) {
      const shorter = new Uint8Array(Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + piece)]));
      const result = await judge(target, shorter);
      if ('reason' in result && kindOf(result.reason) === kind) shortest = shorter;
      else at += piece;
    }
  }
  return shortest;
}

const MAX_TRIES = 2000;
