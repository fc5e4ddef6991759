import { describe, expect, it } from 'vitest';
import { type HomesOptions, homes, readScenario } from '../../src/scenario/index.ts';
import { internet, type PresetName, presets } from '../../src/sim/index.ts';

/** `host < network < .. < internet` of both hosts. */
function places(options: HomesOptions): string[] {
  const { networks = [], hosts = [] } = homes(options).internet;
  return ['a', 'b'].map((name) => {
    const way = [name];
    for (let at = hosts.find((host) => host.name === name)!.interfaces[0]!.network; at !== 'internet'; ) {
      way.push(at);
      at = networks.find((network) => network.name === at)!.above!;
    }
    return way.join(' < ');
  });
}

describe('homes', () => {
  it('puts each host behind its own site', () => {
    expect(places({ a: 'linux', b: {} })).toEqual(['a < a-home', 'b < b-home']);
    expect(places({ a: 'public', b: [] })).toEqual(['a', 'b']);
    expect(places({ a: 'carrier', b: [{}, {}, {}] })).toEqual([
      'a < a-home < a-carrier',
      'b < b-home < b-carrier < b-carrier-2',
    ]);
  });

  it('puts both sites behind what they share', () => {
    expect(places({ a: 'linux', b: 'public', shared: 'mobile-network' })).toEqual([
      'a < a-home < shared',
      'b < shared',
    ]);
    expect(places({ a: 'public', b: 'public', shared: 'carrier' })).toEqual([
      'a < shared < shared-carrier',
      'b < shared < shared-carrier',
    ]);
  });

  it.each(Object.keys(presets) as PresetName[])('is data that can be read and built: %s', (preset) => {
    for (const options of [
      { a: preset, b: preset },
      { a: 'public', b: 'public', shared: preset },
    ] as const) {
      const scenario = homes(options);
      expect(readScenario(JSON.parse(JSON.stringify(scenario)))).toEqual(readScenario(scenario));
      expect(internet(scenario.internet).hosts.map(({ name }) => name)).toEqual(['server', 'a', 'b']);
    }
  });

  it('delays the links to the internet alone', () => {
    const { networks, hosts } = homes({ a: 'carrier', b: 'public', link: { latency: 7 } }).internet;
    expect(networks!.map(({ name, uplink }) => [name, uplink])).toEqual([
      ['a-carrier', { latency: 7 }],
      ['a-home', {}],
    ]);
    expect(hosts!.map(({ name, interfaces }) => [name, interfaces[0]!.link])).toEqual([
      ['server', {}],
      ['a', undefined],
      ['b', { latency: 7 }],
    ]);
  });

  it('lets a site have words of its own', () => {
    const { networks } = homes({ a: [{ uplink: { loss: 0.1 } }], b: 'public', seed: 'x', mapping: false }).internet;
    expect(networks![0]!.uplink).toEqual({ loss: 0.1 });
  });

  it('hands on seed and mapping', () => {
    const { internet, peers } = homes({ a: {}, b: {}, seed: 'x', mapping: false });
    expect(internet.seed).toBe('x');
    expect(peers.map(({ mapping }) => mapping)).toEqual([false, false]);
  });

  it('refuses a preset that there is not', () => {
    expect(() => homes({ a: 'toaster' as PresetName, b: 'public' })).toThrow(
      expect.objectContaining({
        code: 'ERR_USAGE',
        message: expect.stringMatching(/^a-home: there is no preset toaster; .*linux/),
      }),
    );
  });
});
