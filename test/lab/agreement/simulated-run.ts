import { checks, defaultFlow, defineFlow } from '../../../src/index.ts';
import {
  type HostPlan,
  homes,
  type NetworkSpec,
  runScenario,
  type Scenario,
  type SideOutcome,
} from '../../../src/sim.ts';
import { NATS } from '../net/nat.ts';
import { simulatedRouter } from '../net/simulated-nat.ts';
import { type Account, accountOf, type SideStory } from './account.ts';
import { type Cell, DELAY, type NatName, PING_EVERY, SERVER_DELAY, type Site } from './cell.ts';

/** What the simulator makes of a NAT of the lab. */
export type Router = (nat: NatName) => Pick<NetworkSpec, 'nat' | 'firewall'>;

/**
 * Runs a cell in the simulator; `router`: what it makes of the lab's NATs, by default what the kernel does.
 *
 * The flow has checks alone, as in `checks-only.mjs`: a spray joins by luck, and would hide that a NAT is another than it should be.
 */
export async function runSimulated(cell: Cell, router?: Router): Promise<Account> {
  const { dials } = await runScenario(scenarioOf(cell, router), { flows: { flow: checksOnly } });
  const { dialer, listener, firstEcho } = dials[0]!;
  const [here, there] = [storyOf(dialer), storyOf(listener)];
  return {
    dialer: accountOf(here, there.verdict),
    listener: accountOf(there, here.verdict),
    pong: firstEcho,
  };
}

const checksOnly = defineFlow({ ...defaultFlow.spec, punch: checks() });

/** The listener has been there for two seconds when the dialer comes; as a command that begins to dial at once. */
function scenarioOf(
  { dialer, listener, sameLan }: Cell,
  router: Router = (nat) => simulatedRouter(NATS[nat]),
): Scenario {
  const { internet, peers, dials } = homes({
    a: networksOf(dialer, router, 1),
    b: networksOf(listener, router, 2),
    ...(sameLan && { shared: [router(sameLan)] }),
    link: { latency: DELAY },
    flow: 'flow',
  });
  const sites: Readonly<Record<string, Site>> = { a: dialer, b: listener };
  return {
    internet: { ...internet, hosts: internet.hosts?.map(withServerDelay) },
    peers: peers.map((peer) => ({
      ...peer,
      mapping: sites[peer.name]?.maps !== undefined,
      startsAt: peer.name === 'a' ? dials[0]!.at : 0,
    })),
    dials: dials.map((dial) => ({ ...dial, pingEvery: PING_EVERY })),
  };
}

function withServerDelay(host: HostPlan): HostPlan {
  if (host.name !== 'server') return host;
  return { ...host, interfaces: host.interfaces.map((each) => ({ ...each, link: { latency: SERVER_DELAY } })) };
}

/** That which is nearest to the internet first. Each site has addresses of its own, as in the lab. */
function networksOf({ nat, carrier, maps }: Site, router: Router, number: number): NetworkSpec[] {
  if (nat === undefined) return [];
  const gateway = maps && {
    upnp: maps.igd ?? (false as const),
    natPmp: maps.natPmp === true,
    pcp: maps.natPmp === true,
  };
  return [
    ...(carrier === undefined ? [] : [{ ...router(carrier), ipv4: `100.64.${number}.0/24` }]),
    { ...router(nat), ipv4: `192.168.${number}.0/24`, ...(gateway && { gateway }) },
  ];
}

function storyOf(side: SideOutcome | undefined): SideStory {
  if (side?.verdict === undefined) throw new Error('the simulated connection has not ended on both sides');
  return { stages: side.stages, paths: side.paths.map(({ path }) => path), verdict: side.verdict };
}
