import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadIdentityFile } from '../adapters/node/identity-file.ts';
import type { Environment } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import { type Policy, policies } from '../core/policy.ts';
import { createPeer, defaultFlow, type Peer } from '../index.ts';
import { nodeEnvironment } from '../node.ts';
import type { RealTrace } from '../trace/record-peers.ts';
import { bothObserve } from './both-observe.ts';
import { loadFlow } from './flow-argument.ts';
import { type Inspection, openInspection } from './inspection.ts';
import { openPeerTrace } from './peer-trace.ts';
import type { Reporter } from './reporter.ts';
import { readTurnServers } from './turn-argument.ts';

/** Options that `listen`, `connect` and `ping` share. */
export interface PeerCommandOptions {
  readonly server: readonly string[];
  readonly token?: string;
  readonly stun: readonly string[];
  /** As given: each may be `@file`. */
  readonly turn: readonly string[];
  readonly identity?: string;
  /** Path of a module. */
  readonly flow?: string;
  /** Absent: that of the flow. */
  readonly policy?: Policy;
  /** False with `--no-map`. */
  readonly map: boolean;
  readonly trace?: string;
  /** URL of a hub; `true`: a hub of its own. */
  readonly inspect?: string | true;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** The peer of a command, whose trace is written with `--trace`. */
export interface CommandPeer {
  readonly peer: Peer;
  /** Ends the peer, then the trace. */
  close(): Promise<void>;
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
    .option(
      '--turn <server>',
      'TURN server, turn:user:password@host:port[?transport=tcp], or @file with such lines; may be repeated',
      collect,
      [],
    )
    .option('--identity <file>', 'private key that names this peer; created when missing (default: a fresh key)')
    .option('--flow <module>', 'ES module whose default export is the flow to run (default: Sallyport’s own)')
    .addOption(
      new Option('--policy <policy>', 'how relays may be used (default: as the flow says, relay-first)').choices(
        policies,
      ),
    )
    .option('--no-map', 'ask no gateway for port mappings')
    .option('--trace <file>', 'write what happens to this file, for `sallyport replay`')
    .addOption(
      new Option(
        '--inspect [url]',
        'let the inspector watch: one that runs, by its URL for programs, or one of its own',
      ).env('SALLYPORT_INSPECT'),
    )
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
 * Opens the peer of a command, `who` in its trace. Throws `ERR_USAGE`, `ERR_IDENTITY_FILE`, `ERR_NOT_AVAILABLE` and those of
 * `createPeer`.
 */
export async function openPeer(
  who: 'listener' | 'dialer',
  options: PeerCommandOptions,
  where: { readonly servers: readonly string[]; readonly stun: readonly string[] },
  reporter: Reporter,
): Promise<CommandPeer> {
  const identity = options.identity === undefined ? undefined : await loadIdentityFile(options.identity);
  const flow = options.flow === undefined ? defaultFlow : await loadFlow(options.flow);
  const { policy = flow.policy } = options;
  let trace: RealTrace | undefined;
  let inspection: Inspection | undefined;
  try {
    if (options.trace !== undefined) trace = await openPeerTrace(options.trace, reporter);
    if (options.inspect !== undefined) inspection = await openInspection(options.inspect, who, reporter);
    const seen = bothObserve(trace?.peer(who), inspection?.peer(who));
    const log: Log = (event, fields) => {
      reporter.log(event, fields);
      seen?.log?.(event, fields);
    };
    // Its log is the environment's, to which the peer's belongs.
    const observer = seen && { ...seen, log: undefined };
    const env = peerEnvironment(options, where, log);
    const peer = await createPeer({ env, flow, policy, observer, ...(identity && { identity }) });
    if (policy !== 'relay-only') tellCandidates(peer, reporter);
    return {
      peer,
      async close() {
        await peer.close();
        trace?.end();
        await inspection?.close();
      },
    };
  } catch (error) {
    trace?.end();
    await inspection?.close();
    throw error;
  }
}

/** Each candidate once, ports aside. */
function tellCandidates(peer: Peer, reporter: Reporter): void {
  const told = new Set<string>();
  peer.reachability$.subscribe(({ candidates }) => {
    for (const candidate of candidates) {
      const key = `${candidate.type} ${candidate.endpoint.address}`;
      if (!told.has(key)) reporter.candidate(candidate);
      told.add(key);
    }
  });
}

/** The world that a command's peer lives in. Throws `ERR_USAGE`, and `ERR_NOT_AVAILABLE` for TURN over TLS. */
export function peerEnvironment(
  { token, map, turn }: Pick<PeerCommandOptions, 'token' | 'map' | 'turn'>,
  where: { readonly servers: readonly string[]; readonly stun: readonly string[] },
  log: Log,
): Environment {
  return nodeEnvironment({
    ...where,
    turn: turn.flatMap(readTurnServers),
    log,
    ...(!map && { mapping: false }),
    ...(token !== undefined && { token }),
  });
}

function collectStun(value: string, previous: readonly string[]): string[] {
  if (!/^(\[[^\]]+\]|[^:]+):\d{1,5}$/.test(value)) {
    throw new InvalidArgumentError('A STUN server is written host:port, for example stun.example.org:3478.');
  }
  return [...previous, value];
}
