import { TraversalError } from '../../core/errors.ts';

/** How to be let in by a NATS server; one of `token`, `user` and `creds` at most. */
export interface NatsAccess {
  readonly token?: string;
  readonly user?: { readonly name: string; readonly password: string };
  /** The text of a `.creds` file, as `nsc` writes it: a JWT and the seed of its key. */
  readonly creds?: string;
  /** PEM texts: authorities to trust instead of the system's, and the client's own certificate. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Throws `ERR_USAGE` for what is no URL of a NATS server, and for one with a password in it: tickets name the URL. */
export function checkNatsUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !isNatsUrl(url) || parsed.hostname === '') {
    throw new TraversalError('ERR_USAGE', `a NATS server is given as nats://host:4222 or tls://host:4222, not ${url}`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new TraversalError('ERR_USAGE', 'tickets name the URL of the NATS server, so it must not hold a password');
  }
}

export function isNatsUrl(url: string): boolean {
  return /^(nats|tls):\/\//i.test(url);
}
