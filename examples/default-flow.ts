/**
 * What a peer does unless it is told otherwise, spelled out: the default flow is made of public pieces only. Prints the chart by which it
 * punches, and connects two homes, one of which gives each destination another port. In virtual time, the same in every run.
 *
 * Run: `npx tsx examples/default-flow.ts`
 */
import { filter, firstValueFrom } from 'rxjs';
import {
  checks,
  createPeer,
  defaultFlow,
  defineFlow,
  fallback,
  guessablePort,
  interfaces,
  natPmp,
  type Peer,
  pcp,
  portsInSequence,
  predict,
  race,
  relay,
  sequence,
  spray,
  stun,
  tcpSimultaneousOpen,
  turn,
  upnp,
  when,
} from 'sallyport';
import { internet, simEnvironment } from 'sallyport/sim';
import type { AnyStateNode } from 'xstate';

const flow = defineFlow({
  discover: [interfaces(), stun()],
  map: race([pcp(), natPmp(), upnp()], { stagger: 250, within: 5_000 }),
  punch: race(
    [
      race([checks(), sequence([when(portsInSequence, predict()), when(guessablePort, spray())])], { stagger: 150 }),
      tcpSimultaneousOpen(),
    ],
    { stagger: 600 },
  ),
  fallback: fallback(relay(), turn(), { after: 1_000 }),
  policy: 'relay-first',
});

console.log([...outline(flow.punch.root)].join('\n'));
const isDefault = JSON.stringify(flow.punch) === JSON.stringify(defaultFlow.punch);
console.log(`the default flow: ${isDefault ? 'yes' : 'no'}; findings of lint: ${flow.lint().length}`);

const world = internet({ seed: 7 });
const services = [{ type: 'stun', alternate: true }, { type: 'rendezvous' }] as const;
world.host('meet', { addresses: ['192.0.2.10', '192.0.2.11'], services });
const home = world.nat('home', { filtering: 'address-and-port-dependent' });
const office = world.nat('office', { mapping: 'address-and-port-dependent', portAllocation: { sequential: 1 } });
const servers = ['ws://meet:8790'];

async function main(): Promise<void> {
  const listener = await createPeer({ env: simEnvironment(home.host('alice'), { servers }), flow });
  const dialer = await createPeer({ env: simEnvironment(office.host('bob'), { servers }), flow });
  for (const one of [listener, dialer]) await known(one);
  const connection = dialer.connect(await listener.createTicket());
  connection.path$.subscribe((path) => path && console.log(`path: ${path.kind}, by ${path.strategy}`));
  await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
  for (const one of [dialer, listener]) await one.close();
}

/** Fulfils when the peer knows what its NAT does. */
async function known(peer: Peer): Promise<void> {
  await firstValueFrom(peer.reachability$.pipe(filter(({ behavior }) => behavior.mapping !== 'unknown')));
}

/** The states of a chart, each below the one that it is in. */
function* outline({ key, states }: AnyStateNode, depth = 0): Iterable<string> {
  yield `${'  '.repeat(depth)}${key}`;
  for (const state of Object.values<AnyStateNode>(states)) yield* outline(state, depth + 1);
}

await world.clock.runUntil(main());
