import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Inside `node_modules`, where the compiled files find what they import. */
const CACHE = join(ROOT, 'node_modules/.cache/sallyport-cli');

/**
 * Compiles `src` as it is now, and gives the path of the command line. Each state of the sources has a folder of its own, made at
 * most once: of those who compile at the same time, the first one's is taken.
 */
export async function buildCommandLine(): Promise<string> {
  const folder = join(CACHE, await fingerprint());
  if (!(await exists(folder))) await compile(folder);
  return join(folder, 'dist/cli/main.js');
}

async function compile(folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, 'draft-'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--noCheck', '--declaration', 'false', '--sourceMap', 'false', '--outDir', join(draft, 'dist')];
  await promisify(execFile)(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), ...options]);
  await cp(join(ROOT, 'package.json'), join(draft, 'package.json'));
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true });
    if (!(await exists(folder))) throw error;
  }
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json', ...(await sources())]) {
    hash.update(`${file}\0`).update(await readFile(join(ROOT, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function sources(): Promise<string[]> {
  const names = await readdir(join(ROOT, 'src'), { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name))
    .sort();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
