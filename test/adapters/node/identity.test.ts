import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIdentity, identityFromPem, identityName } from '../../../src/adapters/node/identity.ts';
import { loadIdentityFile } from '../../../src/adapters/node/identity-file.ts';

describe('identity', () => {
  it('signs with the key that it shows', () => {
    const { publicKey, sign } = createIdentity();
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const signature = sign(Buffer.from('message'));
    expect(publicKey).toHaveLength(32);
    expect(signature).toHaveLength(64);
    expect(verify(null, Buffer.from('message'), key, signature)).toBe(true);
  });

  it('comes back from its PEM', () => {
    const identity = createIdentity();
    expect(identityFromPem(identity.privateKeyPem).publicKey).toEqual(identity.publicKey);
  });

  it('matches RFC 8032 section 7.1, test 1', () => {
    const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
    const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex').toString('base64');
    const identity = identityFromPem(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`);
    expect(Buffer.from(identity.publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    expect(Buffer.from(identity.sign(new Uint8Array())).toString('hex')).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  it.each([
    ['another kind of key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['no key', undefined],
  ])('refuses %s', (_, key) => {
    const pem = (key?.export({ type: 'pkcs8', format: 'pem' }) as string) ?? 'hello';
    expect(() => identityFromPem(pem)).toThrow(expect.objectContaining({ code: 'ERR_IDENTITY_FILE' }));
  });

  it('has a short name that depends on the key alone', () => {
    expect(identityName(new Uint8Array(32))).toBe(identityName(new Uint8Array(32)));
    expect(identityName(new Uint8Array(32))).toMatch(/^[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}$/);
    expect(identityName(new Uint8Array(32))).not.toBe(identityName(new Uint8Array(32).fill(1)));
  });
});

describe('loadIdentityFile', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'identity-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('makes the file and its directory for the owner alone, once', async () => {
    const path = join(directory, 'new', 'identity.pem');
    const made = await loadIdentityFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'new'))).mode & 0o777).toBe(0o700);
    expect((await loadIdentityFile(path)).publicKey).toEqual(made.publicKey);
    expect(await readFile(path, 'utf8')).toBe(made.privateKeyPem);
  });

  it('refuses a file that others may read, and says how to mend it', async () => {
    const path = join(directory, 'identity.pem');
    await loadIdentityFile(path);
    await chmod(path, 0o640);
    await expect(loadIdentityFile(path)).rejects.toMatchObject({
      code: 'ERR_IDENTITY_FILE',
      message: expect.stringContaining(`chmod 600 ${path}`),
    });
  });

  it.each([
    ['is no key', async (path: string) => writeFile(path, 'hello', { mode: 0o600 })],
    ['is a directory', async (path: string) => mkdir(path, { mode: 0o700 })],
    ['is a link that leads nowhere', async (path: string) => symlink('/nowhere/at/all', path)],
  ])('refuses what %s', async (_, make) => {
    const path = join(directory, 'identity.pem');
    await make(path);
    await expect(loadIdentityFile(path)).rejects.toMatchObject({
      code: 'ERR_IDENTITY_FILE',
      message: expect.stringContaining(path),
    });
  });
});
