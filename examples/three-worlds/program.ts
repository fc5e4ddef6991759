/** A server, or one half of a pair, as a program of its own; started by namespaces.ts. It ends with its input. */
import { nodeEnvironment, startServer } from 'sallyport/node';
import { dial, listen } from './flow.ts';

const [role, argument = ''] = process.argv.slice(2);
if (role === 'serve') {
  const server = await startServer({ host: argument, open: true });
  console.log(server.url);
  await inputEnds();
  await server.close();
} else if (role === 'listen') {
  const { peer, ticket } = await listen(nodeEnvironment({ servers: [argument], mapping: false }));
  console.log(ticket);
  await inputEnds();
  await peer.close();
} else {
  console.log(await dial(nodeEnvironment({ mapping: false }), argument));
}

async function inputEnds(): Promise<void> {
  for await (const _ of process.stdin);
}
