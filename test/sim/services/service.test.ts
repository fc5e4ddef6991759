import { describe, expect, it } from 'vitest';
import { type HostPlan, internet, readInternetPlan, type ServiceSpec } from '../../../src/sim/index.ts';

/** A world with one host that has these services. */
function plan(services: unknown, addresses = ['198.51.100.1', '198.51.100.2']) {
  const interfaces = [{ network: 'internet', addresses }];
  return { seed: 1, hosts: [{ name: 'server', interfaces, services } as HostPlan] };
}

describe('services in a plan', () => {
  const services: readonly ServiceSpec[] = [
    { type: 'stun', alternate: '198.51.100.2' },
    { type: 'stun', port: 19_302 },
    { type: 'rendezvous', port: 443, stun: ['stun.example.org:3478', '[2001:db8::7]:3478'], relay: false },
    { type: 'rendezvous' },
  ];

  it('come back from the world that it made, and from JSON', () => {
    const world = internet(readInternetPlan(JSON.parse(JSON.stringify(plan(services)))));
    expect(JSON.parse(JSON.stringify(world.plan)).hosts[0].services).toEqual(services);
    expect(internet(world.plan).plan).toEqual(world.plan);
  });

  it('can be given in code', () => {
    const world = internet({ seed: 1 });
    const server = world.lan('office').host('server', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
    expect(server.udp.size).toBe(4);
    expect(world.plan.hosts?.[0]?.services).toEqual([{ type: 'stun' }, { type: 'rendezvous' }]);
  });

  it.each<[string, unknown, string]>([
    ['no list', {}, ': must be a list, not {}'],
    ['no service', [7], '[0]: must be an object, not 7'],
    ['no type', [{ port: 1 }], '[0].type: is missing'],
    ['no type that there is', [{ type: 'ftp' }], '[0].type: must be one of stun, rendezvous'],
    ['a port too high', [{ type: 'stun', port: 65_535 }], '[0].port: must be a whole number in 1..65534, not 65535'],
    [
      'a field of another type',
      [{ type: 'stun', relay: true }],
      '[0].relay: there is no such field; there are type, port, alternate',
    ],
    [
      'a name for an address',
      [{ type: 'stun', alternate: 'server' }],
      '[0].alternate: must be a numeric IP address or true, not server',
    ],
    [
      'no alternate address at all',
      [{ type: 'stun', alternate: false }],
      '[0].alternate: must be a text of 1 to 255 characters, not false',
    ],
    [
      "another host's address",
      [{ type: 'stun', alternate: '198.51.100.9' }],
      '[0].alternate: server does not have 198.51.100.9 beside another address',
    ],
    [
      'a STUN server without a port',
      [{ type: 'rendezvous', stun: ['a'] }],
      '[0].stun[0]: must be a STUN server as host:port, not "a"',
    ],
    [
      'too many STUN servers',
      [{ type: 'rendezvous', stun: Array.from({ length: 9 }, (_, i) => `stun:${i + 1}`) }],
      '[0].stun: must have at most 8 elements',
    ],
    [
      'a port that is taken',
      [{ type: 'rendezvous' }, { type: 'rendezvous' }],
      '[1]: listening on TCP port 8790: the port is taken',
    ],
    [
      'ports that overlap',
      [{ type: 'stun' }, { type: 'stun', port: 3479 }],
      '[1]: binding UDP port 3479 on 0.0.0.0: the port is taken',
    ],
  ])('are refused: %s', (_what, wrong, message) => {
    const refusal = { code: 'ERR_USAGE', message: expect.stringContaining(`hosts[0].services${message}`) };
    expect(() => internet(plan(wrong))).toThrow(expect.objectContaining(refusal));
  });

  it('are refused: a second address that is not there', () => {
    const refusal = {
      code: 'ERR_USAGE',
      message: 'hosts[0].services[0].alternate: server does not have a second address',
    };
    const alone = plan([{ type: 'stun', alternate: true }], ['198.51.100.1', '2001:db8::1:1']);
    expect(() => internet(alone)).toThrow(expect.objectContaining(refusal));
  });
});
