import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { codeBlocks, withImportsByFile } from './code.ts';

const DOCS = resolve(import.meta.dirname, '../../docs');

/** Guides whose code is compiled and run as it stands: all blocks of one, in their order, are one module. */
export const GUIDES = [
  'composing-a-flow',
  'testing-with-the-model',
  'writing-a-strategy',
  'writing-an-adapter',
] as const;

export type GuideName = (typeof GUIDES)[number];

export function guideCode(name: GuideName): string {
  return guideBlocks(name, 'ts').join('\n');
}

/** Blocks of that language, in their order. */
export function guideBlocks(name: GuideName, language: string): readonly string[] {
  return codeBlocks(readFileSync(join(DOCS, `${name}.md`), 'utf8'), language);
}

/** Runs a program, and gives what it prints. Errors: those of `execFile`, when it ends with another code than 0. */
export function runProgram(code: string): Promise<string> {
  return runIn('guide.mts', code, (file) => ['--import', import.meta.resolve('tsx'), file]);
}

/** Runs the tests that it states, and gives the report. Errors: those of `execFile`, when one of them fails. */
export function runTests(code: string): Promise<string> {
  const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
  return runIn('guide.test.ts', code, (_, folder) => [vitest, 'run', '--root', folder]);
}

async function runIn(
  fileName: string,
  code: string,
  args: (file: string, folder: string) => readonly string[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-guide-'));
  const file = join(folder, fileName);
  writeFileSync(file, withImportsByFile(code));
  try {
    const env = { ...process.env, NO_COLOR: '1' };
    const { stdout } = await promisify(execFile)(process.execPath, args(file, folder), { timeout: LONGEST, env });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** ms that a guide may run, on a busy machine. */
export const LONGEST = 240_000;
