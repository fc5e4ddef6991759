/**
 * Packs the package, installs it in a fresh folder, and uses it there as a stranger would: every entry point is imported by name, a
 * program is checked against the shipped types and run, and the installed command joins two peers.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sallyport-package-'));
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const children = [];

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }));
  run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    `./${filename}`,
    'typescript@~6.0.0',
    '@types/node@20',
    'vitest@~4.1.0',
  ]);
  await importEveryEntry();
  checkAndRunProgram();
  await useCommand();
  console.log('the installed package works');
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function importEveryEntry() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const names = Object.keys(exports).filter((name) => !name.endsWith('.json'));
  const imports = names.map(
    (name) => `console.log('${name}', Object.keys(await import('${name.replace('.', 'sallyport')}')).length);`,
  );
  writeFileSync(join(folder, 'imports.mjs'), imports.join('\n'));
  const lines = run(process.execPath, ['imports.mjs']).trim().split('\n');
  if (lines.length !== names.length || lines.some((line) => line.endsWith(' 0')))
    throw new Error(`empty entries: ${lines}`);
}

/** The README's example, as TypeScript against the shipped declarations. */
function checkAndRunProgram() {
  writeFileSync(join(folder, 'two-peers.ts'), readFileSync(join(root, 'examples/two-peers.ts'), 'utf8'));
  const compiler = {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable'],
    strict: true,
    types: ['node'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: compiler, files: ['two-peers.ts'] }));
  run('npx', ['--no-install', 'tsc']);
  console.log(run(process.execPath, ['two-peers.js']).trim());
}

async function useCommand() {
  const command = join(folder, 'node_modules/.bin/sallyport');
  console.log(`sallyport ${run(command, ['--version']).trim()}`);
  const serve = start(command, ['serve', '--port', '0', '--stun-port', '0']);
  const [, url] = await line(serve, /^rendezvous (\S+)/);
  const listen = start(command, ['listen', '--server', url, '--echo']);
  const [ticket] = await line(listen, /^sp1\S+/);
  const answer = execFileSync(command, ['connect', ticket], { input: 'hi\n', encoding: 'utf8' });
  if (answer !== 'hi\n') throw new Error(`the echo said ${JSON.stringify(answer)}`);
  for (const child of [listen, serve]) {
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`ended with ${code} after Ctrl-C`);
  }
}

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function line(child, pattern) {
  for await (const text of createInterface({ input: child.stdout })) {
    const match = pattern.exec(text);
    if (match !== null) return match;
  }
  throw new Error(`ended before ${pattern}`);
}
