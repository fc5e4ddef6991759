import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { buildCommandLine } from './cli/build.ts';
import { codeBlocks } from './guides/code.ts';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const run = promisify(execFile);

const documents = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
].sort();

describe('links', () => {
  it('are looked for in every document', () => {
    expect(documents).toContain('README.md');
    expect(documents).toContain('docs/adapters/node-network.md');
    expect(documents.flatMap(relativeLinks).length).toBeGreaterThan(30);
  });

  it.each(documents)('of %s lead to something that is there', (document) => {
    expect(relativeLinks(document).filter((link) => !leadsSomewhere(document, link))).toEqual([]);
  });
});

describe('README.md', () => {
  it('shows examples/two-peers.ts as it is', () => {
    expect(codeBlocks(read('README.md'), 'ts')).toContain(read('examples/two-peers.ts'));
  });
});

describe('docs/errors.md', () => {
  it('explains the codes of ErrorCode and no others, in the order of the alphabet', () => {
    const type = /export type ErrorCode =([^;]+);/.exec(read('src/core/errors.ts'))?.[1] ?? '';
    const codes = [...type.matchAll(/'(ERR_[A-Z_]+)'/g)].map(([, code]) => code);
    const explained = [...read('docs/errors.md').matchAll(/^\| `(ERR_[A-Z_]+)` \|/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(30);
    expect(explained).toEqual([...codes].sort());
  });
});

describe('docs/cli.md', () => {
  /** Section by section: what stands under `## sallyport <command>`. */
  const sections = new Map(
    read('docs/cli.md')
      .split(/^## /m)
      .flatMap((section) => {
        const command = /^`sallyport (\w+)/.exec(section)?.[1];
        return command === undefined ? [] : [[command, section] as const];
      }),
  );
  const shared =
    read('docs/cli.md')
      .split(/^## /m)
      .find((section) => section.startsWith('Options of a peer')) ?? '';

  it('has a section for each command', async () => {
    const commands = [...(await help()).matchAll(/^ {2}(\w+) (?:\[|options)/gm)].map(([, name]) => name);
    expect([...sections.keys()].sort()).toEqual(commands.filter((name) => name !== 'help').sort());
  });

  it.each([...sections])('names the options of %s, all of them and no others', async (command, section) => {
    const named = optionsInTable(section);
    const documented = ['listen', 'connect', 'ping'].includes(command) ? [...named, ...optionsInTable(shared)] : named;
    expect(documented.sort()).toEqual(optionsInHelp(await help(command)));
  });
});

/** Targets of `[text](target)` that are not of the web, code left out. */
function relativeLinks(document: string): string[] {
  const text = read(document).replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((link) => !/^[a-z]+:/.test(link));
}

/** The file is there, and so is the heading that a fragment names. */
function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', fragment] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(root, target))) return false;
  return fragment === undefined || headings(target).includes(fragment);
}

/** Headings as GitHub makes fragments of them. */
function headings(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Options in the first column of a table. */
function optionsInTable(section: string): string[] {
  return [...section.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option]) => option!);
}

function optionsInHelp(text: string): string[] {
  const options = [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option!);
  return options.filter((option) => option !== '--help').sort();
}

async function help(...command: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [await buildCommandLine(), ...command, '--help'], { timeout: 15_000 });
  return stdout;
}
