import { describe, expect, it } from 'vitest';
import type { CheckOptions } from '../../src/core/strategy.ts';
import { checks, defineFlow, defineStrategy, interfaces, relay, sequence, stun } from '../../src/flows/index.ts';
import { homes, runScenario } from '../../src/scenario/index.ts';

/** What becomes of a connection on both sides of which a strategy asks for such checks, before `checks()` has its turn. */
async function dialAsking(options: unknown) {
  const asking = defineStrategy({
    name: 'asking',
    gives: 'direct',
    bounds: { time: 5_000, packets: 0, sockets: 0 },
    run: async ({ env }) => ({ ok: true, path: await env.checks(options as CheckOptions) }),
  });
  const flow = defineFlow({ discover: [interfaces(), stun()], punch: sequence([asking, checks()]), fallback: relay() });
  const scenario = homes({ a: 'linux', b: 'linux', mapping: false, flow: 'asking' });
  const [dial] = (await runScenario(scenario, { flows: { asking: flow } })).dials;
  const asked = dial?.dialer?.verdict?.attempts.find(({ strategy }) => strategy === 'asking');
  return { asked, path: dial?.path?.strategy };
}

describe('env.checks', () => {
  it.each<[string, unknown]>([
    ['env.checks: null is not an object', null],
    ['env.checks.types: 5 is no array of host, srflx, prflx, mapped', { types: 5 }],
    ["env.checks.types: 'host' is no array of host, srflx, prflx, mapped", { types: 'host' }],
    ['env.checks.transports: an object is no array of udp, tcp', { transports: {} }],
    ["env.checks.transports[0]: 'quic' is none of udp, tcp", { transports: ['quic'] }],
    ["env.checks: 'type' is none of its fields: types, transports", { type: ['host'] }],
  ])('that make no sense are the failure of the strategy alone: %s', async (reason, options) => {
    const { asked, path } = await dialAsking(options);
    expect(asked).toMatchObject({ ok: false, reason });
    expect(path).toBe('checks');
  });

  it('of one type of candidates are made', async () => {
    const { asked } = await dialAsking({ types: ['srflx'], transports: ['udp'] });
    expect(asked).toMatchObject({ ok: true });
  });
});
