import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TraversalError } from '../../core/errors.ts';
import type { Identity } from '../../core/identity.ts';
import { createIdentity, identityFromPem } from './identity.ts';

/**
 * The identity kept in a file, as PKCS #8 PEM. A file that is not there is made: mode 0600, its directory 0700.
 * Errors: `ERR_IDENTITY_FILE` when others than its owner have any right to the file (where modes are POSIX), when it is
 * not an Ed25519 key, or when it can be neither read nor made.
 */
export async function loadIdentityFile(path: string): Promise<Identity> {
  try {
    return (await readIdentity(path)) ?? (await makeIdentity(path));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const advice = cause instanceof TraversalError ? '' : '; check the path, or name another file';
    throw new TraversalError('ERR_IDENTITY_FILE', `identity file ${path}: ${message}${advice}`, { cause });
  }
}

/** `undefined` when there is no such file. */
async function readIdentity(path: string): Promise<Identity | undefined> {
  const file = await openUnless('ENOENT', path, 'r');
  if (file === undefined) return undefined;
  try {
    await refuseShared(file, path);
    return identityFromPem(await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

/** Two programs that start at once get one identity: the later one reads what the first has made. */
async function makeIdentity(path: string): Promise<Identity> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await openUnless('EEXIST', path, 'wx');
  if (file === undefined) {
    const other = await readIdentity(path);
    if (other === undefined) throw new TraversalError('ERR_IDENTITY_FILE', 'it is a link that leads nowhere');
    return other;
  }
  try {
    const identity = createIdentity();
    await file.writeFile(identity.privateKeyPem);
    return identity;
  } finally {
    await file.close();
  }
}

async function openUnless(code: string, path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  }
}

async function refuseShared(file: FileHandle, path: string): Promise<void> {
  if (process.platform === 'win32') return; // rights are lists there, and a profile's files are its owner's
  const { mode } = await file.stat();
  if ((mode & 0o077) === 0) return;
  const rights = (mode & 0o777).toString(8).padStart(4, '0');
  throw new TraversalError(
    'ERR_IDENTITY_FILE',
    `others may use it (mode ${rights}): run chmod 600 ${path}, or make a new one if they may have read it`,
  );
}
