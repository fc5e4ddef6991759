import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { execute } from './execute.ts';

/**
 * A fresh prefix for the names of one lab's network namespaces. Names are global to the machine and outlive their creator, so
 * they say who that is: `sallyport-<pid>-<start of the process>-<random>`. A process id comes back; with its start it does not.
 */
export function newLabPrefix(): string {
  return `sallyport-${process.pid}-${startOf(process.pid)}-${randomBytes(4).toString('hex')}`;
}

/** Names of the namespaces that begin with `prefix`. */
export function namespacesOf(prefix: string): string[] {
  return namespaces().filter((name) => name.startsWith(`${prefix}-`));
}

/** Removes what labs of dead processes left behind. */
export async function sweepDeadLabs(): Promise<void> {
  await removeNamespaces(namespaces().filter(isOrphan));
}

/** Kills every process in these namespaces, then deletes them. One that somebody else deletes meanwhile is no error. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const inodes = new Set(names.flatMap(inodeOf));
  for (let pids = processesIn(inodes); pids.length > 0; pids = processesIn(inodes)) {
    for (const pid of pids) kill(pid);
    await setImmediate();
  }
  const input = names.map((name) => `netns del ${name}\n`).join('');
  try {
    await execute('ip', ['-force', '-batch', '-'], { input });
  } catch (error) {
    const left = new Set(namespaces());
    if (names.some((name) => left.has(name))) throw error;
  }
}

const DIRECTORY = '/run/netns';

function namespaces(): string[] {
  return orIfGone(() => readdirSync(DIRECTORY), []);
}

function isOrphan(name: string): boolean {
  const creator = /^sallyport-(\d+)-(\d+)-[0-9a-f]{8}-/.exec(name);
  return creator !== null && startOf(Number(creator[1])) !== creator[2];
}

/** Start of a process in clock ticks since boot; `undefined` when it does not live (a zombie does not). See proc(5). */
function startOf(pid: number): string | undefined {
  const stat = orIfGone(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the command's name may hold anything
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[STARTTIME];
}

/** `starttime` is the 22nd field; counting starts here behind the second. */
const STARTTIME = 22 - 3;

function inodeOf(name: string): string[] {
  return orIfGone(() => [String(statSync(`${DIRECTORY}/${name}`).ino)], []);
}

function processesIn(inodes: ReadonlySet<string>): number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.filter((pid) => inodes.has(networkInodeOf(pid))).map(Number);
}

function networkInodeOf(pid: string): string {
  return orIfGone(() => readlinkSync(`/proc/${pid}/ns/net`), '').slice('net:['.length, -1);
}

function kill(pid: number): void {
  orIfGone(() => process.kill(pid, 'SIGKILL'), false);
}

/** What `look` gives, or `otherwise` when what it looks at has ended meanwhile, or is hidden from us and so not ours. */
function orIfGone<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code)) return otherwise;
    throw error;
  }
}

const GONE = new Set<string | undefined>(['ENOENT', 'ESRCH', 'EACCES']);
