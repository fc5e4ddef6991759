import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from './hex.ts';

/**
 * An input that is kept, in `test/vectors/fuzz/<target>/<file>.hex`. A file has one or more of them with empty lines between: lines that
 * begin with `#` say where it comes from and, after `# outcome:`, what must become of it; the others are the input in hex.
 */
export interface Vector {
  readonly comment: readonly string[];
  /** Absent: it need only keep all promises. */
  readonly outcome?: string;
  readonly input: Uint8Array;
}

export function readVectors(target: string): Vector[] {
  const folder = join(ROOT, target);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).sort();
  return files.flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split(/\n{2,}/)
      .map(readVector),
  );
}

/** Overwrites a file of the same name. */
export function writeVectors(target: string, file: string, vectors: readonly Vector[]): void {
  mkdirSync(join(ROOT, target), { recursive: true });
  writeFileSync(join(ROOT, target, `${file}.hex`), `${vectors.map(writeVector).join('\n')}`);
}

export function removeVectors(target: string, file: string): void {
  rmSync(join(ROOT, target, `${file}.hex`), { force: true });
}

/** The targets that there are vectors of. */
export function vectorTargets(): string[] {
  return readdirSync(ROOT);
}

function readVector(block: string): Vector {
  const lines = block.split('\n');
  const comment = lines.filter((line) => line.startsWith('#')).map((line) => line.slice(1).trim());
  const outcome = comment
    .find((line) => line.startsWith(OUTCOME))
    ?.slice(OUTCOME.length)
    .trim();
  const hex = lines.filter((line) => !line.startsWith('#')).join('');
  return { comment, input: fromHex(hex), ...(outcome !== undefined && { outcome }) };
}

function writeVector({ comment, outcome, input }: Vector): string {
  const lines = [...comment, ...(outcome === undefined ? [] : [`${OUTCOME} ${outcome}`])];
  const hex =
    Buffer.from(input)
      .toString('hex')
      .match(/.{1,128}/g) ?? [];
  return [...lines.map((line) => `# ${line}`.trimEnd()), ...hex, ''].join('\n');
}

const OUTCOME = 'outcome:';
const ROOT = join(import.meta.dirname, '../../vectors/fuzz');
