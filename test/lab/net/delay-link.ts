import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execute } from './execute.ts';

/** Path of the program in `delay-link.c`, compiled at first use and kept under `node_modules/.cache`. */
export async function delayLinkProgram(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(SOURCE))
    .digest('hex')
    .slice(0, 16);
  const program = `${CACHE}/delay-link-${digest}`;
  if (!existsSync(program)) {
    await mkdir(CACHE, { recursive: true });
    const unfinished = `${program}.${process.pid}`; // others may be compiling too; the last rename wins
    await execute('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', unfinished, SOURCE]);
    await rename(unfinished, program);
  }
  return program;
}

const SOURCE = fileURLToPath(new URL('delay-link.c', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/sallyport-lab', import.meta.url));
