import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether coturn is there (Debian package `coturn`). */
export const hasTurnserver = spawnSync('turnserver', ['--version']).error === undefined;

/** A coturn of this host, with files of its own that go with it. */
export interface Turnserver {
  stop(): Promise<void>;
}

/** Starts coturn without TLS and without a configuration file. Fulfils once its sockets are bound. */
export async function startTurnserver(options: readonly string[]): Promise<Turnserver> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-coturn-'));
  const child = spawn('turnserver', [
    '-n', // no configuration file
    '--no-tls',
    '--no-dtls',
    '--no-cli',
    '--log-file=stdout',
    `--pidfile=${join(folder, 'pid')}`,
    `--userdb=${join(folder, 'turndb')}`,
    ...options,
  ]);
  child.stderr.resume();
  const stop = async (): Promise<void> => {
    await terminate(child);
    await rm(folder, { recursive: true });
  };
  try {
    await listening(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** Fulfils with the line that coturn prints once its sockets are bound; its log must be read on for it to go on. */
function listening(child: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`turnserver ended with ${code}: ${log}`)));
    child.stdout!.on('data', (chunk) => {
      log += chunk;
      if (log.includes('Total General servers')) resolve();
    });
  });
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
