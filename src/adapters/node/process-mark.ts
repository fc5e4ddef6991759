import { readFileSync, readlinkSync } from 'node:fs';
import { systemCodeOf } from './system-error.ts';

/** Tells one process from all others of this system, also from a later one with the same id. */
export interface ProcessMark {
  readonly pid: number;
  /** Where the id means something: a PID namespace on Linux, which containers have of their own; 0 elsewhere. */
  readonly namespace: number;
  /** Since the system's start, in ticks of its clock; 0 where that cannot be told. */
  readonly startedAt: number;
}

export function ownProcessMark(): ProcessMark {
  return { pid: process.pid, namespace: ownNamespace(), startedAt: statOf(process.pid)?.startedAt ?? 0 };
}

/** `4026531836-1234-567890`, to be part of a file's name. */
export function formatProcessMark({ namespace, pid, startedAt }: ProcessMark): string {
  return `${namespace}-${pid}-${startedAt}`;
}

/** Reads what {@link formatProcessMark} writes; `undefined` when the text is no mark. */
export function parseProcessMark(text: string): ProcessMark | undefined {
  const match = /^(\d{1,15})-(\d{1,15})-(\d{1,15})$/.exec(text);
  if (match === null) return undefined;
  const [namespace, pid, startedAt] = match.slice(1).map(Number);
  return { namespace: namespace!, pid: pid!, startedAt: startedAt! };
}

/** A process of another namespace cannot be looked for, so it counts as running. */
export function isRunning({ pid, namespace, startedAt }: ProcessMark): boolean {
  if (namespace !== ownNamespace()) return true;
  if (!hasProcess(pid)) return false;
  const stat = statOf(pid);
  if (stat === undefined) return true;
  return stat.state !== 'Z' && stat.startedAt === startedAt;
}

/** Signal 0 asks without sending. A process of another user may not be asked, which tells that it is there. */
function hasProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

/** proc(5): the program's name is in brackets and may hold anything; `state` is field 3, `starttime` field 22. Linux only. */
function statOf(pid: number): { readonly state: string; readonly startedAt: number } | undefined {
  const stat = readUnlessAbsent(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && { state: fields[0]!, startedAt: Number(fields[19]) };
}

/** The link reads `pid:[4026531836]`. */
function ownNamespace(): number {
  const link = readUnlessAbsent(() => readlinkSync('/proc/self/ns/pid'));
  return Number(/\d+/.exec(link ?? '')?.[0] ?? 0);
}

/** What of `/proc` a system has not, or does not show. */
function readUnlessAbsent(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (ABSENT.has(systemCodeOf(error))) return undefined;
    throw error;
  }
}

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);
