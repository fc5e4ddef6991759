import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { DecodeError, TraversalError } from '../../core/errors.ts';
import type { LeaseJournal } from '../../core/lease-journal.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { Mapping } from '../../core/port-mapper.ts';
import { systemClock } from './clock.ts';
import { decodeLeaseNotes, encodeLeaseNotes, type LeaseNotes } from './lease-notes.ts';
import { formatProcessMark, isRunning, ownProcessMark, parseProcessMark } from './process-mark.ts';
import { systemCodeOf } from './system-error.ts';

export interface LeaseJournalOptions {
  /**
   * Made when there is something to note. Default `$XDG_STATE_HOME/sallyport/leases`, which is `~/.local/state/sallyport/leases`, or
   * `%LOCALAPPDATA%\sallyport\leases` on Windows.
   */
  readonly directory?: string;
  readonly log?: Log;
  /** The one that the mappings' times are of. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Mappings noted in a file of this process (mode 0600, its directory 0700), which is there while something is noted in it. A process
 * that ended is known by its id, and on Linux by the time of its start. Errors: those of the file system, `ERR_TOO_LARGE` for more than
 * 64 KiB, some 150 mappings.
 */
export function fileLeaseJournal(options: LeaseJournalOptions = {}): LeaseJournal {
  const place = placeOf(options);
  const { directory, clock } = place;
  const path = join(directory, newFileName());
  let notes: LeaseNotes = new Map();

  function save(changed: LeaseNotes): void {
    if (changed.size === 0) {
      rmSync(path, { force: true });
    } else {
      const text = encodeLeaseNotes(changed, clock);
      if (Buffer.byteLength(text) > MAX_SIZE) {
        throw new TraversalError('ERR_TOO_LARGE', `more mappings than a file holds: ${changed.size}`);
      }
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileSync(path + DRAFT, text, { mode: 0o600 });
      renameSync(path + DRAFT, path);
    }
    notes = changed;
  }

  return {
    async takeLeftovers() {
      const leftovers: Mapping[] = [];
      for (const file of readFiles(place)) {
        if (file.notes.size === 0) rmSync(file.path, { force: true });
        else if (!file.running && claim(file.path, directory)) leftovers.push(...file.notes.values());
      }
      return leftovers;
    },
    async note(key, mapping) {
      save(new Map(notes).set(key, mapping));
    },
    async strike(key) {
      if (notes.has(key)) save(new Map([...notes].filter(([other]) => other !== key)));
    },
  };
}

/** A mapping in the journal, whoever noted it. */
export interface NotedMapping {
  readonly mapping: Mapping;
  /** Whether the process that noted it still runs; else it is a leftover. */
  readonly running: boolean;
}

/** All that processes of this user have noted; takes nothing over. */
export async function readLeaseJournal(options: LeaseJournalOptions = {}): Promise<readonly NotedMapping[]> {
  return readFiles(placeOf(options)).flatMap(({ notes, running }) =>
    [...notes.values()].map((mapping) => ({ mapping, running })),
  );
}

type Place = Required<LeaseJournalOptions>;

interface JournalFile {
  readonly path: string;
  /** Without those whose time is over. */
  readonly notes: LeaseNotes;
  readonly running: boolean;
}

/** What cannot be read as ours is logged and left alone. */
function readFiles({ directory, log, clock }: Place): readonly JournalFile[] {
  const files: JournalFile[] = [];
  for (const name of namesIn(directory).slice(0, MAX_FILES)) {
    const mark = parseProcessMark(FILE_NAME.exec(name)?.[1] ?? '');
    if (mark === undefined) continue;
    const path = join(directory, name);
    try {
      const running = isRunning(mark);
      if (name.endsWith(DRAFT)) {
        if (!running) rmSync(path, { force: true });
      } else {
        files.push({ path, running, notes: decodeLeaseNotes(readOwn(path), clock) });
      }
    } catch (error) {
      // Gone since it was listed: whoever wrote it has nothing noted any more, or another process took it over.
      if (systemCodeOf(error) !== 'ENOENT') log('lease-journal.skipped', { path, error: String(error) });
    }
  }
  return files;
}

function readOwn(path: string): string {
  const stat = lstatSync(path);
  if (!stat.isFile() || stat.size > MAX_SIZE) throw new DecodeError('lease-journal/file', `${stat.size} bytes`);
  if (process.getuid !== undefined && stat.uid !== process.getuid()) {
    throw new DecodeError('lease-journal/owner', `user ${stat.uid}`);
  }
  return readFileSync(path, 'utf8');
}

/** Whether a leftover is ours now: of those who try to rename a file at once, one can. */
function claim(path: string, directory: string): boolean {
  const claimed = join(directory, newFileName());
  try {
    renameSync(path, claimed);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
  rmSync(claimed);
  return true;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function newFileName(): string {
  return `${formatProcessMark(ownProcessMark())}-${randomBytes(8).toString('hex')}.json`;
}

function placeOf({
  directory = defaultDirectory(),
  log = silentLog,
  clock = systemClock(),
}: LeaseJournalOptions): Place {
  return { directory, log, clock };
}

/** XDG Base Directory Specification: a relative path is to be ignored. */
function defaultDirectory(): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_STATE_HOME !== undefined && isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, 'sallyport', 'leases');
  const state = process.platform === 'win32' ? (LOCALAPPDATA ?? 'AppData/Local') : '.local/state';
  return join(isAbsolute(state) ? state : join(homedir(), state), 'sallyport', 'leases');
}

const DRAFT = '.draft';
/** The mark of the process, then chance, so that a process may have several. */
const FILE_NAME = /^([\d-]+)-[0-9a-f]{16}\.json(?:\.draft)?$/;

/** Bytes of a file, and files that are looked at. */
const MAX_SIZE = 64 * 1024;
const MAX_FILES = 1_000;
