import { describe, expect, it } from 'vitest';
import { readGatewaySpec } from '../../../src/sim/gateway/gateway-spec.ts';
import { internet, readInternetPlan } from '../../../src/sim/index.ts';

describe('a gateway in a plan', () => {
  it('is kept as it was written, and has its defaults', () => {
    const networks = [{ name: 'home', nat: {}, gateway: { upnp: 2, pcp: true } }];
    const world = internet(readInternetPlan(JSON.parse(JSON.stringify({ seed: 1, networks }))));
    expect(JSON.parse(JSON.stringify(world.plan.networks))).toMatchObject(networks);
    expect(world.networkNamed('home').gateway?.rules).toEqual({
      upnp: 2,
      natPmp: false,
      pcp: true,
      maxLifetime: 86_400,
      permanentOnly: false,
    });
    expect(world.lan('office').gateway).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['no object', 'upnp', 'g: must be an object, not "upnp"'],
    ['no protocol', {}, 'g: must speak at least one of upnp, natPmp and pcp'],
    ['all switched off', { upnp: false, pcp: false }, 'g: must speak at least one of upnp, natPmp and pcp'],
    ['a version that there is not', { upnp: 3 }, 'g.upnp: must be 1, 2 or false, not 3'],
    ['a version in words', { upnp: true }, 'g.upnp: must be 1, 2 or false, not true'],
    ['a number for a switch', { pcp: 1 }, 'g.pcp: must be true or false, not 1'],
    [
      'leases too short',
      { pcp: true, maxLifetime: 119 },
      'g.maxLifetime: must be a whole number in 120..4294967295, not 119',
    ],
    ['leases without end in version 2', { upnp: 2, permanentOnly: true }, 'g.permanentOnly: needs upnp of version 1'],
    ['a typing error', { natpmp: true }, 'g.natpmp: there is no such field; there are upnp, natPmp, pcp'],
  ])('is refused with %s', (_what, spec, message) => {
    const error = expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) });
    expect(() => readGatewaySpec(spec, 'g')).toThrow(error);
  });

  it.each<[string, object, string]>([
    ['UPnP without a NAT', { gateway: { upnp: 1 }, firewall: {} }, 'UPnP and NAT-PMP map ports of a NAT'],
    [
      'NAT-PMP without a NAT',
      { gateway: { natPmp: true, pcp: true }, firewall: {} },
      'UPnP and NAT-PMP map ports of a NAT',
    ],
    ['PCP without NAT and firewall', { gateway: { pcp: true } }, 'PCP maps ports of a NAT or a firewall'],
  ])('is refused with %s', (_what, network, message) => {
    const plan = { seed: 1, networks: [{ name: 'home', ...network }] };
    const error = expect.objectContaining({
      code: 'ERR_USAGE',
      message: expect.stringContaining(`networks[0].gateway: ${message}`),
    });
    expect(() => readInternetPlan(plan)).toThrow(error);
    expect(() => internet(plan)).toThrow(error);
  });
});
