import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');

/** The code in a document, of one language, block by block. */
export function codeBlocks(document: string, language: string): readonly string[] {
  return [...document.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => code!);
}

/** The source of each entry of the package, by the name that users import. */
export function packageSources(): Readonly<Record<string, string>> {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const entries = Object.entries<{ readonly default?: string }>(exports).flatMap(([path, { default: built }]) => {
    if (built === undefined) return [];
    const source = built.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
    return [[path.replace(/^\./, name), join(ROOT, source)] as const];
  });
  return Object.fromEntries(entries);
}

/** The same code, fit to run in a folder where no package is installed: with this package's sources, and other packages by their files. */
export function withImportsByFile(code: string): string {
  const sources = packageSources();
  return code.replace(/ from '(?!node:)([^'.][^']*)';$/gm, (_, name: string) => {
    return ` from '${sources[name] ?? fileURLToPath(import.meta.resolve(name))}';`;
  });
}
