import { describe, expect, it } from 'vitest';
import { simulatedDemo } from '../../src/cli/demo-simulated.ts';
import { presets } from '../../src/sim.ts';
import { recordedReporter } from './recorded-reporter.ts';

/** The story of two presets, and the exit code. */
async function tell(a: string, b: string): Promise<{ readonly code: number; readonly text: string }> {
  const { reporter, stdout } = recordedReporter({ json: false });
  const code = await simulatedDemo({ a, b, seed: 3 }, { reporter, signal: new AbortController().signal });
  return { code, text: stdout.join('\n') };
}

const incidents = [
  [
    'a NAT that gives out other ports forgets its mappings',
    'home-router',
    'mobile-network',
    /The NAT of b-home forgets/,
  ],
  ['a router that keeps ports gets another address', 'linux', 'home-router', /The router of a-home gets another/],
  [
    'without a router, the cable is pulled',
    'public',
    'public',
    /The cable of b is pulled.*The cable of b is in again/s,
  ],
] as const;

describe('the demo', () => {
  it.each(Object.keys(presets))('joins a home router and %s', async (preset) => {
    const { code, text } = await tell('home-router', preset);
    expect(code).toBe(0);
    expect(text).toContain(`  b          ${preset}: ${presets[preset as keyof typeof presets].title}`);
    const [, outcome] = /verdict of a +(direct|relayed): connected/.exec(text) ?? [];
    const [, best] = /the oracle +best: ([\w-]+);/.exec(text) ?? [];
    expect(outcome).toBe(best === 'relay' ? 'relayed' : 'direct');
  });

  it.each(incidents)('%s, and the connection comes back', async (_, a, b, told) => {
    const { code, text } = await tell(a, b);
    expect(code).toBe(0);
    expect(text).toMatch(told);
    const pings = text.slice(text.search(told)).match(/ping \d+ is back after .*/g) ?? [];
    expect(pings.length).toBeGreaterThanOrEqual(2);
    expect(pings.at(-1)).toMatch(/80 ms, direct$/);
  });

  it('says in the words of RFC 4787 what stands between, firewall included', async () => {
    const { text } = await tell('corporate-firewall', 'hotel-wifi');
    expect(text).toMatch(
      /a-home +address-and-port-dependent mapping, address-and-port-dependent filtering\n +\(symmetric\), random ports, a firewall that lets out TCP to ports 80 and 443 only/,
    );
    expect(text).toMatch(/hint: this side learned no server-reflexive address/);
    expect(text).toMatch(/can join them: nothing but a relay/);
  });
});
