/**
 * The local network first: checks between host candidates alone, for half a second, and only then between all. Two programs in one home
 * are joined by the first, two in different homes by the second. In virtual time, the same in every run.
 *
 * Run: `npx tsx examples/lan-first.ts`
 */
import { checks, defineFlow, interfaces, relay, sequence, stun, within } from 'sallyport';
import { homes, runScenario, type Scenario } from 'sallyport/sim';

const flow = defineFlow({
  discover: [interfaces(), stun()],
  punch: sequence([within(500, checks({ types: ['host'] })), checks()]),
  fallback: relay(),
});

await join('in one home', homes({ a: 'public', b: 'public', shared: 'linux', flow: 'lan first' }));
await join('in two homes', homes({ a: 'linux', b: 'linux', flow: 'lan first' }));

async function join(where: string, scenario: Scenario): Promise<void> {
  const { dials } = await runScenario(scenario, { flows: { 'lan first': flow } });
  const { path, direct, listener } = dials[0]!;
  console.log(
    `${where}: ${path?.kind} to ${path?.remote} (${listener?.remoteType}), after ${direct} ms of virtual time`,
  );
}
