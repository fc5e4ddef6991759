/**
 * One flow in three worlds: on the simulated internet, in virtual time; on real sockets of this machine; and behind NATs of the Linux kernel, where
 * that is allowed. The flow is the same object, or the same module: only the environment differs.
 *
 * Run: `npx tsx examples/three-worlds/main.ts`
 */
import { nodeEnvironment, startServer } from 'sallyport/node';
import { internet, simEnvironment } from 'sallyport/sim';
import { meet } from './flow.ts';
import { meetInNamespaces, obstacle } from './namespaces.ts';

console.log(`simulated internet: ${await simulated()}`);
console.log(`loopback: ${await loopback()}`);
console.log(`kernel namespaces: ${obstacle() ?? (await meetInNamespaces())}`);

async function simulated(): Promise<string> {
  const world = internet({ seed: 7 });
  world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
  const servers = ['ws://meet:8790'];
  const [alice, bob] = [world.nat('home').host('alice'), world.nat('office').host('bob')];
  return world.clock.runUntil(meet(simEnvironment(alice, { servers }), simEnvironment(bob, { servers })));
}

async function loopback(): Promise<string> {
  const server = await startServer({ port: 0, stunPort: 0 });
  try {
    const env = nodeEnvironment({ servers: [server.url] });
    return await meet(env, env);
  } finally {
    await server.close();
  }
}
