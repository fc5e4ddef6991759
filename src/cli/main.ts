#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addConnect } from './connect.ts';
import { addDemo } from './demo.ts';
import { addInspect } from './inspect.ts';
import { addListen } from './listen.ts';
import { addMap } from './map.ts';
import { addPing } from './ping.ts';
import { addReplay } from './replay.ts';
import { addServe } from './serve.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('sallyport')
  .description('Direct, encrypted connections between two programs behind NATs and firewalls.')
  .version(version)
  .showHelpAfterError('(sallyport <command> --help tells more)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'error [ERR_USAGE]:')) });

for (const add of [addServe, addListen, addConnect, addPing, addMap, addDemo, addInspect, addReplay]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
  if (error.exitCode !== 0 && process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ event: 'error', code: 'ERR_USAGE', message: error.message })}\n`);
  }
}
