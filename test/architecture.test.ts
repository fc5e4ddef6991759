import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../src');

/** The floors of the house, lowest first, and what each may stand on besides itself. */
const floors: Record<string, { on: readonly string[]; why: string }> = {
  core: { on: [], why: 'core is vocabulary and contracts: it stands on nothing' },
  protocol: { on: ['core'], why: 'protocol is sans-IO: bytes in, values out, on core alone' },
  streams: { on: ['core', 'protocol'], why: 'streams carry data and know no decisions' },
  machines: { on: ['core', 'protocol', 'streams'], why: 'machines know contracts, never an adapter' },
  leases: {
    on: ['core', 'protocol', 'streams', 'machines', 'flows'],
    why: 'a lease is given its port mappers, never an adapter',
  },
  flows: {
    on: ['core', 'protocol', 'streams', 'machines', 'sim'],
    why: 'a flow composes charts and strategies, and names no adapter; it is tried out on the simulated internet',
  },
  peer: {
    on: ['core', 'protocol', 'streams', 'machines', 'flows', 'leases'],
    why: 'a peer gets its world as an Environment, never an adapter',
  },
  sim: { on: ['core', 'protocol'], why: 'the simulated internet is a network, and knows nobody who uses it' },
  adapters: {
    on: ['core', 'protocol', 'streams', 'sim'],
    why: 'an adapter implements a contract and knows no machine',
  },
  server: { on: ['core', 'protocol', 'streams', 'adapters'], why: 'the server binds engines to sockets' },
  testing: {
    on: [
      'core',
      'protocol',
      'streams',
      'machines',
      'flows',
      'leases',
      'peer',
      'sim',
      'adapters',
      'server',
      'scenario',
      'trace',
      'index.ts',
      'node.ts',
      'sim.ts',
    ],
    why: 'the test kit may use everything but the commands',
  },
  scenario: {
    on: ['core', 'protocol', 'leases', 'peer', 'sim', 'adapters', 'index.ts'],
    why: 'a scenario puts peers on a simulated internet, by what its users have',
  },
  'sim.ts': { on: ['core', 'sim', 'adapters', 'scenario'], why: 'sallyport/sim joins the floors for users' },
  trace: {
    on: ['core', 'protocol', 'machines', 'peer', 'sim', 'scenario', 'index.ts', 'sim.ts'],
    why: 'a trace is written and read by what its users have',
  },
  inspector: {
    on: ['core', 'machines', 'peer', 'trace', 'index.ts'],
    why: 'the inspector shows what traces are made of, as it happens',
  },
  cli: {
    on: ['core', 'streams', 'adapters', 'trace', 'inspector', 'index.ts', 'node.ts', 'sim.ts'],
    why: 'commands use what a user of the package has',
  },
  'index.ts': {
    on: ['core', 'protocol', 'machines', 'flows', 'leases', 'peer'],
    why: 'the main entry exports contracts, peers and charts',
  },
  'node.ts': {
    on: ['core', 'streams', 'leases', 'adapters', 'server'],
    why: 'sallyport/node joins the floors for users',
  },
};

/** Packages that a floor may use; type-only imports of `rxjs` are free everywhere, since contracts speak of Observable. */
const packages: Record<string, readonly string[]> = {
  core: [],
  protocol: ['node:crypto', 'node:module', 'node:zlib', 'fast-xml-parser'],
  sim: ['node:crypto'],
  streams: ['rxjs', 'node:stream', 'node:stream/web', 'node:crypto'],
  machines: ['xstate'],
  flows: ['rxjs', 'xstate'],
  leases: ['rxjs', 'xstate'],
  peer: ['rxjs', 'xstate', 'node:zlib'],
};

/** Rooms that touch the operating system or native code; everything else below the top takes it by contract. */
const outside = [
  'adapters/node',
  'adapters/port-mapper/nat-upnp',
  'adapters/signaling/websocket.ts',
  'adapters/signaling/nats',
  'adapters/session/quic',
  'server',
  'inspector/hub',
  'inspector/uplink.ts',
  'cli',
  'node.ts',
];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();

const imports = files.flatMap(readImports);

describe('the house', () => {
  test('has files and imports to look at', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(200);
  });

  test('every file stands on a known floor', () => {
    expect(files.filter((file) => floors[floorOf(file)] === undefined)).toEqual([]);
  });

  test('an import points to a lower floor', () => {
    const wrong = imports.flatMap(({ file, target }) => {
      if (!target.startsWith('.')) return [];
      const from = floorOf(file);
      const to = floorOf(relative(root, resolve(root, dirname(file), target)));
      return from === to || floors[from]?.on.includes(to) ? [] : [`${file} imports ${target}: ${floors[from]?.why}`];
    });
    expect(wrong).toEqual([]);
  });

  test('a floor uses only the packages that it is allowed', () => {
    const wrong = imports.flatMap(({ file, target, typeOnly }) => {
      const allowed = packages[floorOf(file)];
      if (allowed === undefined || target.startsWith('.') || allowed.includes(target)) return [];
      return typeOnly && target === 'rxjs' ? [] : [`${file} imports ${target}: ${floors[floorOf(file)]?.why}`];
    });
    expect(wrong).toEqual([]);
  });

  test('only the outer rooms touch the operating system', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        /^(node:(dgram|net|dns|os|fs|http|https|tls|child_process|process|timers|worker_threads)|ws$|@nats-io|@matrixai|nat-upnp)/.test(
          target,
        ) && !outside.some((room) => file.startsWith(room)),
    );
    expect(wrong).toEqual([]);
  });

  test('adapters do not look sideways', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (floorOf(file) !== 'adapters' || !target.startsWith('.')) return false;
      const to = relative(root, resolve(root, dirname(file), target));
      return floorOf(to) === 'adapters' && to.split('/')[1] !== file.split('/')[1];
    });
    expect(wrong).toEqual([]);
  });

  test('only the simulated adapters stand on the simulation', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (floorOf(file) !== 'adapters' || file.startsWith('adapters/sim/') || !target.startsWith('.')) return false;
      return floorOf(relative(root, resolve(root, dirname(file), target))) === 'sim';
    });
    expect(wrong).toEqual([]);
  });

  test('time and chance are arguments below the adapters', () => {
    const inner = files.filter((file) =>
      ['core', 'protocol', 'sim', 'streams', 'machines', 'peer'].includes(floorOf(file)),
    );
    const taken = inner.filter((file) =>
      /\b(Date\.now|Math\.random|performance\.now|randomBytes|randomUUID|webcrypto|crypto\.subtle)\b/.test(
        withoutComments(readFileSync(join(root, file), 'utf8')),
      ),
    );
    expect(taken).toEqual([]);
  });

  test('no room is larger than one noun needs', () => {
    const large = files
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 350);
    expect(large).toEqual([]);
  });
});

function floorOf(file: string): string {
  return file.split('/')[0]!;
}

function readImports(file: string): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      found.push({ file, target: (node.moduleSpecifier as ts.StringLiteral).text, typeOnly: isTypeOnly(node) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push({ file, target: node.arguments[0]!.getText().slice(1, -1), typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true));
  return found;
}

/** Nothing of it is left at run time: `import type ..`, or every name marked `type`. */
function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return (
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/[^\n]*/g, '$1');
}
