import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { simIdentity } from '../../../src/adapters/sim/index.ts';
import { seededRandom } from '../../../src/sim/index.ts';

describe('simIdentity', () => {
  it('is the same for the same seed, and another for another', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => simIdentity(seededRandom(seed)));
    expect(a!.publicKey).toEqual(b!.publicKey);
    expect(a!.sign(Buffer.from('hello'))).toEqual(b!.sign(Buffer.from('hello')));
    expect(a!.publicKey).not.toEqual(c!.publicKey);
  });

  it('is an Ed25519 key: RFC 8032 section 7.1, test 1', () => {
    const secret = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const { publicKey, sign, privateKeyPem } = simIdentity({ bytes: () => secret });
    expect(Buffer.from(publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    const signature = sign(new Uint8Array(0));
    expect(Buffer.from(signature).toString('hex')).toMatch(/^e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065/);
    expect(verify(null, new Uint8Array(0), createPublicKey(createPrivateKey(privateKeyPem)), signature)).toBe(true);
  });
});
