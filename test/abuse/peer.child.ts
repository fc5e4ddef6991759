/** A peer in a process of its own: one that listens and echoes, or one that dials it, once to ping and then anew. */
import { filter, firstValueFrom } from 'rxjs';
import type { SessionStream } from '../../src/core/session.ts';
import { createPeer, type Peer } from '../../src/index.ts';
import { nodeEnvironment } from '../../src/node.ts';
import { createBystander } from './experience.ts';
import { offer } from './process.ts';
import { type Usage, watchUsage } from './usage.ts';

let usage = watchUsage();
let stream: SessionStream;
let redial: () => Promise<void>;
const answers = new Set<(ping: number) => void>();

async function echo(one: SessionStream): Promise<void> {
  for (let chunk = await one.read(); chunk !== null; chunk = await one.read()) await one.write(chunk);
}

/** Tells each answer's number, four bytes. */
async function hear(one: SessionStream): Promise<void> {
  let rest = Buffer.alloc(0);
  for (let chunk = await one.read(); chunk !== null; chunk = await one.read()) {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= 4; rest = rest.subarray(4)) for (const answer of answers) answer(rest.readUInt32BE());
  }
}

async function listeningOn(peer: Peer): Promise<number> {
  const { candidates } = await firstValueFrom(peer.reachability$.pipe(filter(({ complete }) => complete)));
  return candidates.find(({ endpoint }) => endpoint.family === 4)!.endpoint.port;
}

const bystander = createBystander({
  dial: () => redial(),
  send(ping) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(ping);
    void stream.write(bytes);
  },
  onAnswer(listener) {
    answers.add(listener);
    return () => answers.delete(listener);
  },
});

const api = {
  /** Gives a ticket for attackers and one for others, and the UDP port over IPv4. */
  async listen(url: string): Promise<{ tickets: [string, string]; udpPort: number }> {
    const peer = await createPeer({ env: nodeEnvironment({ servers: [url] }) });
    peer.incoming$.subscribe((connection) => connection.streams$.subscribe((one) => void echo(one)));
    const tickets: [string, string] = [await peer.createTicket(), await peer.createTicket()];
    return { tickets, udpPort: await listeningOn(peer) };
  },
  /** Fulfils when the connection is direct. */
  async dial(url: string, ticket: string): Promise<void> {
    const peer = await createPeer({ env: nodeEnvironment({ servers: [url] }) });
    const connection = peer.connect(ticket);
    await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
    stream = await connection.openStream();
    void hear(stream);
    const other = await createPeer({ env: nodeEnvironment({ servers: [url] }) });
    redial = async () => {
      await using again = other.connect(ticket);
      await again.ready;
    };
  },
  ...bystander,
  watch(): void {
    usage();
    usage = watchUsage();
  },
  usage: (): Usage => usage(),
};

export type PeerApi = typeof api;
offer(api);
