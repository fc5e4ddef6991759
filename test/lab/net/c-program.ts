import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute } from './execute.ts';

/** Path of a program of one C file, compiled at first use and kept under `node_modules/.cache`. `packages` are known to pkg-config. */
export async function cProgram(source: URL, packages: readonly string[] = []): Promise<string> {
  const path = fileURLToPath(source);
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 16);
  const program = `${CACHE}/${basename(path, '.c')}-${digest}`;
  if (!existsSync(program)) {
    await mkdir(CACHE, { recursive: true });
    const unfinished = `${program}.${randomUUID()}`; // others may be compiling too; the last rename wins
    const flags = packages.length === 0 ? '' : await execute('pkg-config', ['--cflags', '--libs', ...packages]);
    const libraries = flags.split(/\s+/).filter((flag) => flag !== '');
    await execute('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', unfinished, path, ...libraries]);
    await rename(unfinished, program);
  }
  return program;
}

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/sallyport-lab', import.meta.url));
