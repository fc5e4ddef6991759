import { createHash } from 'node:crypto';
import { nkeys } from '@nats-io/transport-node';

/** A server configuration with an operator, one account and one user, and the user's credentials, as `nsc` would write them. */
export function natsAccount(): { readonly configuration: string; readonly creds: string } {
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()];
  const operatorToken = sign(operator, operator, 'operator');
  const accountToken = sign(operator, account, 'account', {
    limits: { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true },
  });
  const userToken = sign(account, user, 'user', { subs: -1, data: -1, payload: -1 });
  return {
    configuration: `operator: ${operatorToken}
resolver: MEMORY
resolver_preload: { ${account.getPublicKey()}: ${accountToken} }`,
    creds: `-----BEGIN NATS USER JWT-----
${userToken}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${new TextDecoder().decode(user.getSeed())}
------END USER NKEY SEED------
`,
  };
}

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** A JWT of NATS, version 2: what `issuer` grants to the holder of `subject`. */
function sign(issuer: KeyPair, subject: KeyPair, type: string, grants: Record<string, unknown> = {}): string {
  const claims = {
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    iat: Math.floor(Date.now() / 1_000),
    name: type,
    nats: { ...grants, type, version: 2 },
  };
  const id = createHash('sha256').update(JSON.stringify(claims)).digest('base64url');
  const head = encode({ typ: 'JWT', alg: 'ed25519-nkey' });
  const body = encode({ ...claims, jti: id });
  const signature = issuer.sign(new TextEncoder().encode(`${head}.${body}`));
  return `${head}.${body}.${Buffer.from(signature).toString('base64url')}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
