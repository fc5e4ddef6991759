import { type Endpoint, endpoint, type Family, parseEndpoint } from './endpoint.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';

/** The addresses of STUN servers (`host:port`), one of this family each; those that have none are logged and left out. */
export async function resolveStunServers(
  names: readonly string[],
  family: Family,
  world: { readonly network: Pick<Network, 'resolve'>; readonly log: Log; readonly signal: AbortSignal },
): Promise<readonly Endpoint[]> {
  const { network, log, signal } = world;

  async function resolve(name: string): Promise<readonly Endpoint[]> {
    const literal = parseEndpoint(name);
    if (literal !== undefined) return literal.family === family ? [literal] : [];
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(name) ?? [];
    try {
      const [address] = await network.resolve(host, { family, signal });
      return address === undefined ? [] : [endpoint(address, Number(port))];
    } catch (error) {
      log('stun.unresolved', { name, family, error: String(error) });
      return [];
    }
  }

  return (await Promise.all(names.map(resolve))).flat();
}
