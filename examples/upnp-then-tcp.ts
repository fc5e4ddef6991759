/**
 * Where no UDP gets out: a TCP port is mapped by UPnP, and punching is by TCP alone. If the router of one side maps its port, the other side
 * simply dials it; if no router does, both sides dial at the same time. In virtual time, the same in every run.
 *
 * Run: `npx tsx examples/upnp-then-tcp.ts`
 */
import { checks, defineFlow, interfaces, relay, sequence, stun, tcpSimultaneousOpen, upnp } from 'sallyport';
import { type GatewaySpec, homes, type NetworkSpec, runScenario } from 'sallyport/sim';

const flow = defineFlow({
  discover: [interfaces(), stun()],
  map: upnp(),
  punch: sequence([checks({ transports: ['tcp'] }), tcpSimultaneousOpen()]),
  fallback: relay(),
});

await join('with UPnP', { upnp: 2 });
await join('without');

async function join(title: string, gateway?: GatewaySpec): Promise<void> {
  const scenario = homes({ a: [tcpOnly()], b: [tcpOnly(gateway)], flow: 'tcp' });
  const { dials } = await runScenario(scenario, { flows: { tcp: flow } });
  const { path, direct, listener } = dials[0]!;
  console.log(
    `${title}: ${path?.kind} over ${path?.transport}, by ${path?.strategy}, after ${direct} ms of virtual time`,
  );
  for (const { strategy, reason } of listener?.verdict?.attempts ?? []) console.log(`  ${strategy}: ${reason}`);
}

/** A home behind a NAT whose firewall lets no UDP out. */
function tcpOnly(gateway?: GatewaySpec): NetworkSpec {
  return { nat: {}, firewall: { outbound: [{ protocol: 'tcp', ports: 'any' }] }, ...(gateway && { gateway }) };
}
