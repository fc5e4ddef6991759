import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeBlocks } from './code.ts';

/** A part of the README, as it would be in a file of its own. */
export interface ReadmeProgram {
  readonly name: string;
  /** Which of its blocks of TypeScript, the first is 0. */
  readonly blocks: readonly number[];
  /** What the text around them takes for granted. */
  readonly before?: string;
  readonly after?: string;
  /** What is done with it beside compiling. `nothing`: it would ask the gateway of whatever network it runs on. */
  readonly run: 'program' | 'tests' | 'nothing';
  /** What it prints. */
  readonly prints?: string;
}

export const README: readonly ReadmeProgram[] = [
  { name: 'two-peers', blocks: [0], run: 'program', prints: 'echo: hello\npath: direct, udp\n' },
  {
    name: 'flow-and-model',
    blocks: [1, 2],
    before: `
      import { checks, createPeer, defineFlow, fallback, guessablePort, interfaces, natPmp, pcp, portsInSequence, predict, race } from 'sallyport';
      import { relay, sequence, spray, stun, tcpSimultaneousOpen, turn, upnp, when } from 'sallyport';
      import { nodeEnvironment } from 'sallyport/node';
      const env = nodeEnvironment({ servers: [], mapping: false });
    `,
    after: 'await peer.close();',
    run: 'tests',
  },
  {
    name: 'simulated-internet',
    blocks: [3],
    before: `
      import { createPeer } from 'sallyport';
      import { internet, simEnvironment } from 'sallyport/sim';
    `,
    run: 'program',
    prints: '',
  },
  { name: 'leases', blocks: [4], run: 'nothing' },
];

const blocks = codeBlocks(readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8'), 'ts');

/** How many blocks of TypeScript there are. */
export const README_BLOCKS = blocks.length;

export function readmeCode({ before = '', blocks: indices, after = '' }: ReadmeProgram): string {
  return [before.replace(/^ +/gm, ''), ...indices.map((i) => blocks[i] ?? ''), after].join('\n');
}
