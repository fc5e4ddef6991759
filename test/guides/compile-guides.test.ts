import { resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { packageSources } from './code.ts';
import { GUIDES, guideCode } from './guide.ts';
import { README, README_BLOCKS, readmeCode } from './readme.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** As if each guide, and each program of the README, were a module beside the documents. */
const modules = new Map([
  ...GUIDES.map((name) => [resolve(ROOT, 'docs', `${name}.ts`), guideCode(name)] as const),
  ...README.map((program) => [resolve(ROOT, `README-${program.name}.ts`), readmeCode(program)] as const),
]);

it('the code of all guides and of the README compiles', () => {
  expect(problemsOf(modules)).toEqual([]);
}, 120_000);

it('no code of the README is left out', () => {
  const used = README.flatMap(({ blocks }) => blocks);
  expect(used).toEqual(Array.from({ length: README_BLOCKS }, (_, i) => i));
});

it('a guide that does not would be noticed', () => {
  const [[file]] = [...modules] as [[string, string]];
  const wrong = "import { sequence } from 'sallyport';\nsequence([]);\n";
  expect(problemsOf(new Map([[file, wrong]]))).toEqual([expect.stringContaining('docs/composing-a-flow.ts:2:')]);
}, 120_000);

/** `docs/composing-a-flow.ts:12: ..`. */
function problemsOf(code: ReadonlyMap<string, string>): readonly string[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(resolve(ROOT, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    ROOT,
  );
  const paths = Object.fromEntries(Object.entries(packageSources()).map(([name, source]) => [name, [source]]));
  // What a reader has defined and not used yet is no fault of a guide.
  const settings = { ...options, paths, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => code.has(file) || fileExists.call(host, file);
  host.readFile = (file) => code.get(file) ?? readFile.call(host, file);
  const program = ts.createProgram([...code.keys()], settings, host);
  return [...code.keys()].flatMap((name) => {
    const file = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ start, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
      return `${name.replace(`${ROOT}/`, '')}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}
