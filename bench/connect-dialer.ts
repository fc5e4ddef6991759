/**
 * Runs inside a host of the laboratory: connects again and again on a warm rendezvous connection and prints, as JSON, when each
 * session was ready, its first byte was echoed and its direct path was confirmed, in ms from the call of `connect`. Two peers take
 * turns where both `map` and `no-map` are asked for: one with port mapping, one without.
 */
import { filter, firstValueFrom } from 'rxjs';
import { createPeer, type Peer } from 'sallyport';
import { nodeEnvironment } from 'sallyport/node';

const [server = '', ticket = '', rounds = '', ...mappings] = process.argv.slice(2);
/** Times in ms. */
interface Round {
  readonly ready: number;
  readonly echo: number;
  readonly direct: number | undefined;
}

/** ms to wait for a direct path after the first echo. */
const PATIENCE = 1500;

const peers = new Map<string, Peer>();
for (const mapping of mappings) {
  const peer = await createPeer({ env: nodeEnvironment({ servers: [server], mapping: mapping === 'map' }) });
  await firstValueFrom(peer.reachability$.pipe(filter(({ complete }) => complete)));
  peers.set(mapping, peer);
}
const results: Record<string, Round[]> = Object.fromEntries(mappings.map((mapping) => [mapping, []]));
for (let i = 0; i < Number(rounds); i++) {
  const turns = i % 2 === 0 ? mappings : mappings.toReversed();
  for (const mapping of turns) results[mapping]!.push(await connectOnce(peers.get(mapping)!));
}
for (const peer of peers.values()) await peer.close();
console.log(JSON.stringify(results));

async function connectOnce(peer: Peer): Promise<Round> {
  const startedAt = performance.now();
  const since = (): number => performance.now() - startedAt;
  const connection = peer.connect(ticket);
  let direct: number | undefined;
  const found = new Promise<void>((resolve) => {
    connection.path$.subscribe((path) => {
      if (path?.kind !== 'direct') return;
      direct ??= since();
      resolve();
    });
  });
  await connection.ready;
  const ready = since();
  const stream = await connection.openStream();
  await stream.write(Buffer.from('x'));
  await stream.read();
  const echo = since();
  await Promise.race([found, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  await connection.close();
  return { ready, echo, direct };
}
