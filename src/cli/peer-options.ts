import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadIdentityFile } from '../adapters/node/identity-file.ts';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type Policy, policies } from '../core/policy.ts';
import { createPeer, type Peer } from '../index.ts';
import { nodeEnvironment } from '../node.ts';
import type { Reporter } from './reporter.ts';

/** Options that `listen`, `connect` and `ping` share. */
export interface PeerCommandOptions {
  readonly server: readonly string[];
  readonly token?: string;
  readonly stun: readonly string[];
  readonly turn?: string;
  readonly identity?: string;
  readonly policy: Policy;
  /** False with `--no-map`. */
  readonly map: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** An option that may be repeated. */
export const collect = (value: string, previous: readonly string[]): string[] => [...previous, value];

export function addPeerOptions(command: Command): Command {
  return command
    .option(
      '--server <url>',
      'rendezvous server, ws(s)://host:8790, or NATS server, nats://host:4222; may be repeated',
      collect,
      [],
    )
    .option('--token <secret>', 'what the rendezvous server demands')
    .option(
      '--stun <host:port>',
      'STUN server; may be repeated (default: those of the rendezvous server)',
      collectStun,
      [],
    )
    .addOption(new Option('--turn <server>', 'TURN server (in a later version)').hideHelp())
    .option('--identity <file>', 'private key that names this peer; created when missing (default: a fresh key)')
    .addOption(new Option('--policy <policy>', 'how relays may be used').choices(policies).default('relay-first'))
    .option('--no-map', 'ask no gateway for port mappings')
    .option('--json', 'tell what happens as JSON, one object a line')
    .option('--verbose', 'tell everything on stderr');
}

/** A port that commander hands to a command. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}

/**
 * Opens the peer of a command. Throws `ERR_USAGE`, `ERR_IDENTITY_FILE`, `ERR_NOT_AVAILABLE` and those of `createPeer`.
 */
export async function openPeer(
  options: PeerCommandOptions,
  where: { readonly servers: readonly string[]; readonly stun: readonly string[] },
  reporter: Reporter,
): Promise<Peer> {
  if (options.turn !== undefined) {
    throw new TraversalError('ERR_NOT_AVAILABLE', '--turn is not available in this version: leave it out');
  }
  const identity = options.identity === undefined ? undefined : await loadIdentityFile(options.identity);
  const env = peerEnvironment(options, where, reporter.log);
  const peer = await createPeer({ env, policy: options.policy, ...(identity && { identity }) });
  const told = new Set<string>();
  peer.reachability$.subscribe(({ candidates }) => {
    for (const candidate of candidates) {
      const key = `${candidate.type} ${candidate.endpoint.address}`;
      if (!told.has(key) && options.policy !== 'relay-only') reporter.candidate(candidate);
      told.add(key);
    }
  });
  return peer;
}

/** The world that a command's peer lives in. */
export function peerEnvironment(
  { token, map }: Pick<PeerCommandOptions, 'token' | 'map'>,
  where: { readonly servers: readonly string[]; readonly stun: readonly string[] },
  log: Log,
): Environment {
  return nodeEnvironment({ ...where, log, ...(!map && { mapping: false }), ...(token !== undefined && { token }) });
}

function collectStun(value: string, previous: readonly string[]): string[] {
  if (!/^(\[[^\]]+\]|[^:]+):\d{1,5}$/.test(value)) {
    throw new InvalidArgumentError('A STUN server is written host:port, for example stun.example.org:3478.');
  }
  return [...previous, value];
}
