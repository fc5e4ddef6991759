import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { eventually } from './eventually.ts';

/** Stops a process of this test in the middle of whatever it is doing: its sockets stand, and nobody answers. Linux only. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await eventually(async () => stateOf(await readFile(`/proc/${pid}/stat`, 'utf8')) === 'T');
}

/** The processes that this one has started and that still run. Linux only. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Whether the process runs; one that has ended and was not waited for does not. Linux only. */
export function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && stateOf(readFileSync(file, 'utf8')) !== 'Z';
}

/** proc(5): the name of the program is in brackets, and may hold anything. */
function stateOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}
