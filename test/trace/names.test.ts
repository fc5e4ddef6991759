import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');

/** What a module exports, by name: where it is declared, as `file name`. */
function exportsOf(file: string): Map<string, string> {
  const found = new Map<string, string>();
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext);
  for (const statement of statements) {
    if (ts.isExportDeclaration(statement)) {
      const from = exportsOf(resolve(dirname(file), (statement.moduleSpecifier as ts.StringLiteral).text));
      const clause = statement.exportClause;
      if (clause === undefined) for (const [name, origin] of from) found.set(name, origin);
      else if (ts.isNamedExports(clause))
        for (const { name, propertyName = name } of clause.elements)
          found.set(name.text, from.get(propertyName.text) ?? 'nowhere');
      continue;
    }
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    if (modifiers?.[0]?.kind !== ts.SyntaxKind.ExportKeyword) continue;
    const declarations = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
    for (const { name } of declarations as readonly ts.NamedDeclaration[])
      if (name !== undefined && ts.isIdentifier(name)) found.set(name.text, `${file} ${name.text}`);
  }
  return found;
}

it('no name of sallyport/trace means something else in sallyport/sim', () => {
  const [sim, trace] = ['sim.ts', 'trace/index.ts'].map((entry) => exportsOf(resolve(source, entry)));
  expect(sim!.get('PacketRecord')).toBe(`${resolve(source, 'sim/packet-log.ts')} PacketRecord`);
  expect(trace!.get('TraceHeader')).toBe(`${resolve(source, 'trace/trace-format.ts')} TraceHeader`);
  expect([...trace!].filter(([name, origin]) => sim!.has(name) && sim!.get(name) !== origin)).toEqual([]);
});
