import { firstValueFrom } from 'rxjs';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import { pause } from '../../src/core/pause.ts';
import type { Json, PathEnvironment } from '../../src/core/strategy.ts';
import { defineStrategy } from '../../src/flows/index.ts';
import type { StrategyStep } from '../../src/flows/step.ts';
import { routerOf } from '../../src/peer/socket-router.ts';
import { stunTransaction } from '../../src/streams/stun-transaction.ts';

export interface KnockOptions {
  readonly version?: number;
  readonly vouched?: boolean;
  /** Told when a run has agreed: virtual ms. */
  readonly onStart?: (at: number) => void;
}

/** A two-sided strategy with a socket of its own on each side. */
export function knock({ version = 1, vouched = false, onStart = () => {} }: KnockOptions = {}): StrategyStep<'direct'> {
  return defineStrategy({
    name: 'knock',
    gives: 'direct',
    bounds: { time: 10_000, packets: 40, sockets: 1 },
    twoSided: { version, vouched },
    async run({ env }) {
      const socket = await env.network.udp({ family: 4 });
      try {
        return { ok: true, path: await meet(env, socket, onStart) };
      } catch (error) {
        socket.close();
        throw error;
      }
    },
  });
}

async function meet(env: PathEnvironment, socket: DatagramSocket, onStart: (at: number) => void): Promise<string> {
  const mine = await observe(env, socket);
  const { params } = await env.agree({ at: formatEndpoint(mine) });
  onStart(env.clock.now());
  const remote = readAddress(params);
  const prober = env.prober(socket);
  for (let i = 0; i < 3; i++) {
    prober.send(remote);
    await pause(env.clock, 20, env.signal);
  }
  return env.validate({ socket, remote });
}

async function observe({ stun, network, clock, random }: PathEnvironment, socket: DatagramSocket): Promise<Endpoint> {
  const [host, port] = stun[0]!.split(':') as [string, string];
  const [address] = await network.resolve(host, { family: 4 });
  const server: Endpoint = { family: 4, address: address!, port: Number(port) };
  return (await firstValueFrom(stunTransaction({ router: routerOf(socket), server, clock, random }))).mapped;
}

function readAddress(params: Json): Endpoint {
  const { at } = Object(params) as { readonly at?: unknown };
  const address = typeof at === 'string' ? parseEndpoint(at) : undefined;
  if (address === undefined) throw new Error('no address was told');
  return address;
}
