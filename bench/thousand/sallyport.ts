import { filter, firstValueFrom } from 'rxjs';
import { type Connection, createPeer, type Peer } from 'sallyport';
import { nodeEnvironment, startServer } from 'sallyport/node';
import type { System } from './system.ts';

/** Connections of one dialing peer: the listener sees one address a peer. */
const PEER_SIZE = 100;

/** One listening peer with one UDP socket a family; dialing peers of {@link PEER_SIZE} connections each. */
export const sallyport: System = {
  async serve() {
    const { url } = await startServer({ port: 0, stunPort: 0 });
    return url;
  },

  async listen(server) {
    const peer = await openPeer(server);
    const held = new Set<Connection>();
    peer.incoming$.subscribe((connection) => {
      held.add(connection);
      connection.verdict.then(() => held.delete(connection));
    });
    return { address: await peer.createTicket(), held: () => held.size };
  },

  async dial(ticket, server) {
    let dialed = 0;
    let peer: Promise<Peer> | undefined;
    return {
      async connect() {
        if (dialed++ % PEER_SIZE === 0) peer = openPeer(server);
        const connection = (await peer!).connect(ticket);
        await connection.ready;
        await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
        return () => connection.close();
      },
    };
  },
};

/** A peer that knows its addresses, so that connecting is all that is timed. */
async function openPeer(server: string): Promise<Peer> {
  const peer = await createPeer({ env: nodeEnvironment({ servers: [server] }) });
  await firstValueFrom(peer.reachability$.pipe(filter(({ complete }) => complete)));
  return peer;
}
