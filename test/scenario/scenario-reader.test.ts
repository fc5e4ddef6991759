import { describe, expect, it } from 'vitest';
import { homes, readScenario, type Scenario } from '../../src/scenario/index.ts';

const scenario = homes({ a: 'linux', b: 'public' });
const dial = { at: 0, from: 'a', to: 'b' };

describe('readScenario', () => {
  it('reads what was written, through JSON too', () => {
    const full: Scenario = {
      ...scenario,
      peers: [
        {
          name: 'a',
          host: 'a',
          startsAt: 5,
          servers: ['ws://server:443'],
          stun: ['server:3478'],
          policy: 'relay-only',
        },
        { name: 'b', host: 'b', mapping: false },
      ],
      dials: [{ ...dial, by: 'key', timeout: 500, lasts: 10_000, pingEvery: 100 }],
      until: 60_000,
    };
    const read = readScenario(JSON.parse(JSON.stringify(full)));
    expect(read).toEqual(readScenario(full));
    expect(read.peers).toMatchObject(full.peers);
    expect(read).toMatchObject({ dials: full.dials, until: 60_000 });
  });

  it('needs no dials', () => {
    expect(readScenario({ internet: scenario.internet, peers: [] }).dials).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['an unknown field', { ...scenario, pears: [] }, 'pears: there is no such field'],
    ['no internet', { peers: [] }, 'internet: is missing'],
    ['no peers', { internet: scenario.internet }, 'peers: is missing'],
    [
      'an internet that is none',
      { ...scenario, internet: { seed: 1, hosts: [{}] } },
      'internet.hosts[0].interfaces: is missing',
    ],
    ['a peer without a host', { ...scenario, peers: [{ name: 'a' }] }, 'peers[0].host: is missing'],
    ['a peer on no host', { ...scenario, peers: [{ name: 'a', host: 'c' }] }, 'peers[0].host: there is no host c'],
    [
      'two of a name',
      { ...scenario, peers: [...scenario.peers, { name: 'a', host: 'b' }] },
      'peers[2].name: there is a peer a already',
    ],
    [
      'an unknown policy',
      { ...scenario, peers: [{ name: 'a', host: 'a', policy: 'none' }] },
      'peers[0].policy: must be one of',
    ],
    [
      'a server that is no text',
      { ...scenario, peers: [{ name: 'a', host: 'a', servers: [1] }] },
      'peers[0].servers[0]: must be a text, not 1',
    ],
    [
      'no server',
      {
        internet: { seed: 1, hosts: [{ name: 'a', interfaces: [{ network: 'internet' }] }] },
        peers: [{ name: 'a', host: 'a' }],
      },
      'peers[0].servers: is missing',
    ],
    [
      'a peer that comes too late',
      { ...scenario, peers: [{ name: 'a', host: 'a', startsAt: 120_000 }], dials: [] },
      'peers[0].startsAt: must be before the end',
    ],
    ['a dial to nobody', { ...scenario, dials: [{ ...dial, to: 'c' }] }, 'dials[0].to: there is no peer c'],
    ['a dial from nobody', { ...scenario, dials: [{ ...dial, from: 'c' }] }, 'dials[0].from: there is no peer c'],
    ['a dial to itself', { ...scenario, dials: [{ ...dial, to: 'a' }] }, 'dials[0].to: must be another peer'],
    ['a dial without a time', { ...scenario, dials: [{ from: 'a', to: 'b' }] }, 'dials[0].at: is missing'],
    [
      'a dial after the end',
      { ...scenario, until: 5, dials: [{ ...dial, at: 5 }] },
      'dials[0].at: must be before the end of the run at 5 ms',
    ],
    [
      'pings without end',
      { ...scenario, dials: [{ ...dial, pingEvery: 0 }] },
      'dials[0].pingEvery: must be a number in 1..',
    ],
    ['an endless run', { ...scenario, until: Number.POSITIVE_INFINITY }, 'until: must be a number'],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => readScenario(wrong)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });
});
