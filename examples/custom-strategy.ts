/**
 * A strategy of one's own, in which both sides take part, with a socket and packets of its own: both ask a STUN server what their NAT makes of a
 * fresh port, tell each other, and knock at the same time. In virtual time, the same in every run.
 *
 * Run: `npx tsx examples/custom-strategy.ts`
 */
import { filter, firstValueFrom, map } from 'rxjs';
import {
  createPeer,
  type DatagramSocket,
  defineFlow,
  defineStrategy,
  type Endpoint,
  endpoint,
  formatEndpoint,
  interfaces,
  type Json,
  type PathEnvironment,
  parseEndpoint,
  pause,
  relay,
  stun,
} from 'sallyport';
import { attribute, BINDING, decodeMessage, encodeMessage, isStunMessage } from 'sallyport/protocol/stun';
import { internet, simEnvironment } from 'sallyport/sim';

interface Knocks {
  readonly times: number;
  /** ms between two. */
  readonly pace: number;
}

function knock({ times = 5, pace = 20 }: Partial<Knocks> = {}) {
  return defineStrategy({
    name: 'knock',
    gives: 'direct',
    // One packet to the STUN server, the knocks, and the checks of `env.validate`.
    bounds: { time: 8_000, packets: 1 + times + 20, sockets: 1 },
    // Both sides must have this version of it. `vouched`: only once both have proven their keys.
    twoSided: { version: 1, vouched: false },
    async run({ env }) {
      const socket = await env.network.udp({ family: 4 });
      try {
        return { ok: true, path: await knockAt(env, socket, { times, pace }) };
      } catch (error) {
        socket.close();
        throw error;
      }
    },
  });
}

async function knockAt(env: PathEnvironment, socket: DatagramSocket, { times, pace }: Knocks): Promise<string> {
  const mine = await observe(env, socket);
  // The dialer proposes by this, the listener accepts by this; both go on at the same time.
  const { params } = await env.agree({ at: formatEndpoint(mine) });
  const remote = readAddress(params);
  const prober = env.prober(socket);
  for (let i = 0; i < times; i++) {
    prober.send(remote);
    // Throws, and so ends the run, as soon as the strategy is not wanted any more.
    await pause(env.clock, pace, env.signal);
  }
  // Proves that it is the other side that answers there. The socket is the connection's from then on.
  return env.validate({ socket, remote });
}

/** What a STUN server sees of the socket. If a packet is lost, the strategy's time is over, and the flow goes on without it. */
async function observe({ stun, network, random }: PathEnvironment, socket: DatagramSocket): Promise<Endpoint> {
  const [host = '', port] = stun[0]?.split(':') ?? [];
  const [address = ''] = await network.resolve(host, { family: 4 });
  const answer = firstValueFrom(
    socket.datagrams$.pipe(
      filter(({ data }) => isStunMessage(data)),
      map(({ data }) => attribute(decodeMessage(data), 'xor-mapped-address')),
      filter((mapped) => mapped !== undefined),
    ),
  );
  const request = { class: 'request', method: BINDING, transactionId: random.bytes(12), attributes: [] } as const;
  socket.send(encodeMessage(request), endpoint(address, Number(port)));
  return (await answer).endpoint;
}

/** From outside: anything may be in it. What a strategy throws is its failure. */
function readAddress(params: Json): Endpoint {
  const { at } = Object(params) as { readonly at?: unknown };
  const address = typeof at === 'string' ? parseEndpoint(at) : undefined;
  if (address === undefined) throw new Error('the other side told no address');
  return address;
}

const flow = defineFlow({ discover: [interfaces(), stun()], punch: knock(), fallback: relay() });

const world = internet({ seed: 7 });
world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
const home = world.nat('home', { filtering: 'address-and-port-dependent' });
const office = world.nat('office', { filtering: 'address-and-port-dependent' });
const servers = ['ws://meet:8790'];

async function main(): Promise<void> {
  const listener = await createPeer({ env: simEnvironment(home.host('alice'), { servers }), flow });
  const dialer = await createPeer({ env: simEnvironment(office.host('bob'), { servers }), flow });
  const connection = dialer.connect(await listener.createTicket());
  const path = await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
  console.log(`path: ${path?.kind}, by ${path?.strategy}, after ${world.clock.now()} ms of virtual time`);
  await connection.close();
  for (const { strategy, ok, reason } of (await connection.verdict).attempts) {
    console.log(`${strategy}: ${ok ? 'succeeded' : 'failed'}, ${reason}`);
  }
  for (const one of [dialer, listener]) await one.close();
}

await world.clock.runUntil(main());
