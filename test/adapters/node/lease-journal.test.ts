import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fileLeaseJournal, readLeaseJournal } from '../../../src/adapters/node/lease-journal.ts';
import { formatProcessMark, ownProcessMark, type ProcessMark } from '../../../src/adapters/node/process-mark.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { Mapping } from '../../../src/core/port-mapper.ts';
import { manualClock } from '../../manual-clock.ts';
import { startJournalKeeper } from './journal-keeper.ts';

const mapping: Mapping = {
  via: 'pcp',
  protocol: 'udp',
  internal: endpoint('192.168.1.2', 5000),
  external: endpoint('203.0.113.9', 6000),
  gateway: '192.168.1.1',
  lifetime: 3_600,
  goodUntil: 3_600_000,
  renewAfter: 1_800_000,
  reach: 'internet',
  handle: { nonce: 'a0a1', asked: 3_600 },
};
const endless: Mapping = {
  ...mapping,
  via: 'upnp-igd',
  protocol: 'tcp',
  internal: endpoint('fd00::2', 80),
  lifetime: 0,
  goodUntil: Infinity,
  renewAfter: Infinity,
};

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'leases-'));
  directory = join(root, 'state', 'leases');
});
afterEach(() => rm(root, { recursive: true }));

const filesOf = (folder: string): Promise<string[]> => readdir(folder);
const read = () => fileLeaseJournal({ directory, clock: manualClock() }).takeLeftovers();

/** Writes what a process with `mark` would have left; by default one that has ended, or whose id another has now. */
async function leave(content: string, mark: Partial<ProcessMark> = { pid: 2 ** 30 }, name = 'a'): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${formatProcessMark({ ...ownProcessMark(), ...mark })}-${name.repeat(16)}.json`);
  await writeFile(path, content);
  return path;
}

/** What a journal writes for `mapping`. */
async function contentOf(...mappings: readonly Mapping[]): Promise<string> {
  const folder = join(root, 'sample');
  const journal = fileLeaseJournal({ directory: folder, clock: manualClock() });
  for (const [i, one] of mappings.entries()) await journal.note(String(i), one);
  const [file] = await filesOf(folder);
  return readFile(join(folder, file!), 'utf8');
}

describe('a lease journal', () => {
  it('notes in a file for its user alone, which goes with the last note', async () => {
    const journal = fileLeaseJournal({ directory });
    await journal.note('a', mapping);
    await journal.note('b', endless);
    const [file, ...others] = await filesOf(directory);
    expect(others).toEqual([]);
    expect((await stat(join(directory, file!))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await journal.strike('a');
    expect(await filesOf(directory)).toEqual([file]);
    await journal.strike('b');
    await journal.strike('unknown');
    expect(await filesOf(directory)).toEqual([]);
  });

  it('makes no folder before there is something to note', async () => {
    const journal = fileLeaseJournal({ directory });
    expect(await journal.takeLeftovers()).toEqual([]);
    await journal.strike('a');
    await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives mappings back as they were, with times of the clock that reads them', async () => {
    await leave(await contentOf(mapping, endless));
    const clock = manualClock();
    clock.advance(60_000);
    const later = { ...clock, now: () => clock.now() + 5_000_000 };
    expect(await fileLeaseJournal({ directory, clock: later }).takeLeftovers()).toEqual([
      { ...mapping, goodUntil: 8_600_000, renewAfter: 6_800_000 },
      endless,
    ]);
  });

  it('holds the last that was noted under a key', async () => {
    const clock = manualClock();
    const journal = fileLeaseJournal({ directory, clock });
    await journal.note('a', mapping);
    await journal.note('a', { ...mapping, goodUntil: 4_000_000 });
    expect(await readLeaseJournal({ directory, clock })).toEqual([
      { mapping: { ...mapping, goodUntil: 4_000_000 }, running: true },
    ]);
  });

  it('refuses what would make its file too large, and keeps what it had', async () => {
    const clock = manualClock();
    const journal = fileLeaseJournal({ directory, clock });
    await journal.note('a', mapping);
    const large = { ...mapping, handle: { controlUrl: 'x'.repeat(65_536) } };
    await expect(journal.note('b', large)).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' });
    expect(await readLeaseJournal({ directory, clock })).toMatchObject([{ mapping }]);
  });

  it('has room for a hundred mappings', async () => {
    const clock = manualClock();
    const journal = fileLeaseJournal({ directory, clock });
    for (let i = 0; i < 100; i++) await journal.note(String(i), mapping);
    expect(await readLeaseJournal({ directory, clock })).toHaveLength(100);
    expect(await filesOf(directory)).toHaveLength(1);
  });

  it.skipIf(process.platform === 'win32').each([
    ['XDG_STATE_HOME', { XDG_STATE_HOME: '/given' }, '/given/sallyport/leases'],
    ['the home folder', { XDG_STATE_HOME: '' }, '/home/.local/state/sallyport/leases'],
    [
      'the home folder, when XDG_STATE_HOME is relative,',
      { XDG_STATE_HOME: 'state' },
      '/home/.local/state/sallyport/leases',
    ],
  ])('is in %s', async (_, environment, folder) => {
    vi.stubEnv('HOME', join(root, 'home'));
    const { XDG_STATE_HOME: state } = environment;
    vi.stubEnv('XDG_STATE_HOME', state.startsWith('/') ? join(root, state) : state);
    try {
      await fileLeaseJournal().note('a', mapping);
      expect(await filesOf(join(root, folder))).toHaveLength(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('leftovers', () => {
  it('are those of a process that was killed, and are given once', async () => {
    const keeper = startJournalKeeper(directory);
    await keeper.ask('note 1');
    expect(await fileLeaseJournal({ directory }).takeLeftovers()).toEqual([]);
    expect(await readLeaseJournal({ directory })).toMatchObject([{ running: true }]);
    await keeper.kill();
    expect(await readLeaseJournal({ directory })).toMatchObject([
      { running: false, mapping: { via: 'upnp-igd', internal: endpoint('192.168.1.2', 1) } },
    ]);
    expect(await fileLeaseJournal({ directory }).takeLeftovers()).toHaveLength(1);
    expect(await fileLeaseJournal({ directory }).takeLeftovers()).toEqual([]);
    expect(await filesOf(directory)).toEqual([]);
  });

  it('are shared out among processes that start at once', async () => {
    const keepers = [startJournalKeeper(directory), startJournalKeeper(directory), startJournalKeeper(directory)];
    expect(await keepers[0]!.ask('note 100')).toBe('noted');
    await keepers[0]!.kill();
    const answers = await Promise.all(keepers.slice(1).map((keeper) => keeper.ask('take')));
    const ports = answers.flatMap((answer) => answer.split(' ').map(Number)).filter((port) => port > 0);
    expect(ports.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(await filesOf(directory)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('are told by the start of a process when another has its id now', async () => {
    await leave(await contentOf(mapping), { startedAt: 1 });
    expect(await read()).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')(
    'are not those of another PID namespace, whose processes cannot be seen',
    async () => {
      await leave(await contentOf(mapping), { namespace: 1 });
      expect(await read()).toEqual([]);
      expect(await filesOf(directory)).toHaveLength(1);
    },
  );

  it('are dropped when their time is over, whoever noted them', async () => {
    const content = await contentOf(mapping);
    await leave(content);
    await leave(content, { namespace: 1 }, 'b');
    const clock = manualClock();
    clock.advance(3_600_000);
    expect(await readLeaseJournal({ directory, clock })).toEqual([]);
    expect(await fileLeaseJournal({ directory, clock }).takeLeftovers()).toEqual([]);
    expect(await filesOf(directory)).toEqual([]);
  });

  it('of a process that was killed while it wrote are cleared away', async () => {
    const path = await leave('');
    await rm(path);
    await writeFile(`${path}.draft`, '{"versio');
    expect(await read()).toEqual([]);
    expect(await filesOf(directory)).toEqual([]);
  });
});

it('notes mappings of port mappers that are not of this package', async () => {
  const own: Mapping = { ...mapping, via: 'router-api', handle: {} };
  await leave(await contentOf(own));
  expect(await read()).toMatchObject([{ via: 'router-api', external: own.external }]);
});

describe('a file that cannot be read', () => {
  /** The content of `mapping` with one thing changed. */
  const spoilt = async (change: (stored: Record<string, unknown>) => void): Promise<string> => {
    const { version, mappings } = JSON.parse(await contentOf(mapping));
    change(mappings['0']);
    return JSON.stringify({ version, mappings });
  };

  it.each<[string, (stored: Record<string, unknown>) => void]>([
    ['an unknown protocol', (stored) => Object.assign(stored, { via: 'carrier pigeon' })],
    ['an unknown transport', (stored) => Object.assign(stored, { protocol: 'sctp' })],
    ['an unknown reach', (stored) => Object.assign(stored, { reach: 'far' })],
    ['a host name', (stored) => Object.assign(stored, { internal: 'localhost:80' })],
    ['port 0', (stored) => Object.assign(stored, { external: '203.0.113.9:0' })],
    ['no gateway', (stored) => Object.assign(stored, { gateway: undefined })],
    ['a lifetime below 0', (stored) => Object.assign(stored, { lifetime: -1 })],
    ['a time that is none', (stored) => Object.assign(stored, { goodUntil: 'tomorrow' })],
    ['a handle that is none', (stored) => Object.assign(stored, { handle: ['a'] })],
    ['a handle with more in it', (stored) => Object.assign(stored, { handle: { nonce: { a: 1 } } })],
  ])('for %s is logged and left alone', async (_, change) => expectSkipped(await leave(await spoilt(change))));

  it.each([
    ['is empty', ''],
    ['is no JSON', '{"version":1,"mappings":'],
    ['is a list', '[]'],
    ['is of a later version', '{"version":2,"mappings":{}}'],
    ['is too large', `{"version":1,"mappings":{}}${' '.repeat(65_536)}`],
  ])('since it %s is logged and left alone', async (_, content) => expectSkipped(await leave(content)));

  it('since it is no file is logged and left alone', async () => {
    const path = await leave('');
    await rm(path);
    await symlink('/etc/hostname', path);
    await expectSkipped(path);
  });

  it('since it has another name is not even looked at', async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'notes.json'), 'hello');
    expect(await read()).toEqual([]);
    expect(await filesOf(directory)).toEqual(['notes.json']);
  });

  async function expectSkipped(path: string): Promise<void> {
    const logged: unknown[] = [];
    const log = (event: string, fields?: object): void => void logged.push({ event, ...fields });
    const journal = fileLeaseJournal({ directory, log, clock: manualClock() });
    expect(await journal.takeLeftovers()).toEqual([]);
    expect(logged).toMatchObject([{ event: 'lease-journal.skipped', path }]);
    expect(await filesOf(directory)).toHaveLength(1);
  }
});

it('looks at a thousand files, and no more', async () => {
  const content = await contentOf(mapping);
  for (let i = 0; i < 1_010; i++) await leave(content, { pid: 2 ** 30 + i });
  expect(await read()).toHaveLength(1_000);
  expect(await read()).toHaveLength(10);
});
