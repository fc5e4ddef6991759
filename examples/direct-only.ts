/**
 * Never over a relay: a flow without a fallback. Two homes are joined directly; where no direct path can be, the connection fails, and its
 * verdict says why and what would have helped. In virtual time, the same in every run.
 *
 * Run: `npx tsx examples/direct-only.ts`
 */
import { checks, defineFlow, interfaces, stun } from 'sallyport';
import { homes, runScenario, type Site } from 'sallyport/sim';

const flow = defineFlow({ discover: [interfaces(), stun()], punch: checks(), policy: 'direct-only' });
console.log(`findings of lint: ${flow.lint().length}`);

await join('two home routers', 'linux', 'linux');
await join('two NATs with another port for each destination', 'mobile-network', 'mobile-network');

async function join(title: string, a: Site, b: Site): Promise<void> {
  const scenario = homes({ a, b, mapping: false, flow: 'direct only' });
  const { dials } = await runScenario(scenario, { flows: { 'direct only': flow } });
  const { outcome, direct, dialer } = dials[0]!;
  const verdict = dialer!.verdict!;
  const time = direct === undefined ? '' : ` after ${direct} ms of virtual time`;
  console.log(`${title}: ${outcome}${time}`);
  for (const { strategy, reason } of verdict.attempts) console.log(`  ${strategy}: ${reason}`);
  for (const advice of verdict.advice) console.log(`  advice: ${advice}`);
}
