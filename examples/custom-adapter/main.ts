/**
 * An adapter of one's own in a flow: the router opens a port through its maker's library, and the other side comes in by it, whatever its
 * own NAT does. In virtual time, the same in every run. That the adapter keeps what every port mapper promises is shown beside it.
 *
 * Run: `npx tsx examples/custom-adapter/main.ts`
 */
import { filter, firstValueFrom } from 'rxjs';
import { checks, createPeer, defineFlow, interfaces, mapper, race, relay, stun, upnp } from 'sallyport';
import { internet, simEnvironment } from 'sallyport/sim';
import { SimulatedRouter } from './router.ts';
import { routerApi } from './router-api.ts';

const flow = defineFlow({
  discover: [interfaces(), stun()],
  map: race([mapper('router-api'), upnp()], { stagger: 250 }),
  punch: checks(),
  fallback: relay(),
});

const world = internet({ seed: 7 });
world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
const home = world.nat('home');
const train = world.nat('train', { mapping: 'address-and-port-dependent' });
const servers = ['ws://meet:8790'];
const mapping = [routerApi(new SimulatedRouter(world, 'home'))];

async function main(): Promise<void> {
  const listener = await createPeer({ env: simEnvironment(home.host('alice'), { servers, mapping }), flow });
  const mapped = await firstValueFrom(listener.reachability$.pipe(filter(hasMapping)));
  console.log(`candidates: ${mapped.candidates.map(({ type }) => type).join(', ')}`);

  const dialer = await createPeer({ env: simEnvironment(train.host('bob'), { servers }), flow });
  const connection = dialer.connect(await listener.createTicket());
  const path = await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
  console.log(`path: ${path?.kind}, to ${path?.remote}`);
  for (const one of [dialer, listener]) await one.close();
  console.log(`still open in the router: ${home.translator!.explicit.list(world.clock.now()).length}`);
}

function hasMapping({ candidates }: { readonly candidates: readonly { readonly type: string }[] }): boolean {
  return candidates.some(({ type }) => type === 'mapped');
}

await world.clock.runUntil(main());
