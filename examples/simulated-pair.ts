/** Two programs behind NATs on a simulated internet, in virtual time: the same in every run. Run: `npx tsx examples/simulated-pair.ts` */
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { createPeer } from 'sallyport';
import { internet, simEnvironment } from 'sallyport/sim';
import { echo } from 'sallyport/streams';

const world = internet({ seed: 7 });
world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
const home = world.nat('home', { filtering: 'address-dependent' });
const office = world.nat('office', { mapping: 'address-and-port-dependent' });
const servers = ['ws://meet:8790'];

async function main(): Promise<void> {
  const listener = await createPeer({ env: simEnvironment(home.host('alice'), { servers }) });
  listener.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap((stream) => echo(stream))))).subscribe();
  const ticket = await listener.createTicket();

  const dialer = await createPeer({ env: simEnvironment(office.host('bob'), { servers }) });
  const connection = dialer.connect(ticket);
  const stream = await connection.openStream();
  await stream.write(Buffer.from('hello'));
  await stream.end();
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read())
    console.log(`echo: ${Buffer.from(chunk)}`);

  const path = await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
  console.log(`path: ${path?.kind}, ${path?.transport}, to ${path?.remote}, ${world.clock.now()} ms of virtual time`);
  for (const one of [dialer, listener]) await one.close();
}

await world.clock.runUntil(main());
