import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { packageSources } from '../guides/code.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** What users export; a type that no entry of the package exports cannot be named in the declarations of their modules. */
const MODULE = `
import { checks, createScores, defaultFlow, defineFlow, defineStrategy, anySide, fallback, interfaces, race, relay } from 'sallyport';
import { retry, sequence, when, within } from 'sallyport';
import { coverage, chartsOf, createTraversalModel, simulatorDriver } from 'sallyport/testing';
export const a = checks();
export const b = race([a, checks()]);
export const c = retry(b, { times: 2 });
export const d = within(5, sequence([c]));
export const e = when(anySide({ mapping: 'address-dependent' }), d);
export const f = fallback(a, e);
export const flow = defineFlow({ discover: interfaces(), punch: f, fallback: relay() });
export const punch = flow.punch.provide({ delays: { 'time of checks': 5 } });
export const other = defaultFlow.with({ punch: defaultFlow.punch });
export const { spec, strategies, machine } = flow;
export const { logic } = a.strategy;
export const scores = createScores();
export function mine() {
  const bounds = { time: 1, packets: 0, sockets: 0 };
  return defineStrategy({ name: 'm', gives: 'direct', bounds, run: async ({ env }) => ({ ok: true, path: await env.checks() }) });
}
export const model = createTraversalModel(flow, simulatorDriver({ a: 'linux', b: 'linux' }));
export const report = coverage(chartsOf(flow)).report();
export const shares = report.charts.map((chart) => chart);
export const prospects = simulatorDriver({ a: 'linux', b: 'linux' }).prospects;
`;

test('whatever the pieces of a flow and of the testing kit give can be exported from a module with declarations', () => {
  expect(declarationFaults(MODULE)).toEqual([]);
}, 120_000);

test('a type that cannot be named would be noticed', () => {
  // An entry that exports the function, and not its type.
  expect(declarationFaults("import { checks } from 'sallyport/checks';\nexport const a = checks();\n")).toEqual([
    expect.stringContaining("cannot be named without a reference to 'StrategyStep'"),
  ]);
}, 120_000);

/** Of a module in a project in which the package is installed, with its sources in the place of what is built of them. */
function declarationFaults(code: string): readonly string[] {
  const project = mkdtempSync(join(tmpdir(), 'sallyport-declarations-'));
  try {
    install(project);
    const file = join(project, 'module.ts');
    writeFileSync(file, code);
    const program = ts.createProgram([file], OPTIONS);
    const source = program.getSourceFile(file);
    const found = [...program.getSemanticDiagnostics(source), ...program.getDeclarationDiagnostics(source)];
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  } finally {
    rmSync(project, { recursive: true });
  }
}

function install(project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'sallyport'), { recursive: true });
  symlinkSync(join(ROOT, 'src'), join(modules, 'sallyport', 'src'));
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  const entries = Object.entries(packageSources()).map(([name, source]) => [
    name.replace('sallyport', '.'),
    source.replace(ROOT, '.'),
  ]);
  const exports = { ...Object.fromEntries(entries), './checks': './src/flows/strategies/checks.ts' };
  writeFileSync(join(modules, 'sallyport', 'package.json'), JSON.stringify({ type: 'module', exports }));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  declaration: true,
  emitDeclarationOnly: true,
  // The package is where it was installed, not where its sources are.
  preserveSymlinks: true,
};
