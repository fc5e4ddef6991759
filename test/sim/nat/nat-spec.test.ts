import { describe, expect, test } from 'vitest';
import { readNatSpec } from '../../../src/sim/nat/nat-spec.ts';

describe('readNatSpec', () => {
  test('states the defaults', () => {
    expect(readNatSpec({}, 'nat')).toEqual({
      mapping: 'endpoint-independent',
      filtering: 'address-and-port-dependent',
      filterScope: 'mapping',
      portAllocation: 'random',
      ports: { first: 1024, last: 65_535 },
      portReuse: 'none',
      pooling: 'paired',
      hairpin: 'external-source',
      pinning: false,
      clashes: 'passed',
      unsolicited: 'ignored',
      icmpErrors: true,
      refresh: 'outbound',
      udp: { unanswered: 300_000, answered: 300_000 },
      tcp: {
        transitory: 240_000,
        established: 7_440_000,
        simultaneousOpen: true,
        unsolicitedSyn: 'wait',
        pickUp: false,
      },
      capacity: 65_536,
    });
  });

  test('takes what is complete as it is, also by way of JSON', () => {
    const rules = readNatSpec(
      { mapping: 'address-dependent', portAllocation: { sequential: 2 }, ports: { last: 2000 }, udp: { answered: 1 } },
      'nat',
    );
    expect(rules).toMatchObject({ ports: { first: 1024, last: 2000 }, udp: { unanswered: 300_000, answered: 1 } });
    expect(readNatSpec(JSON.parse(JSON.stringify(rules)), 'nat')).toEqual(rules);
  });

  test.each([
    [{ mapping: 'symmetric' }, 'homes[0].nat.mapping'],
    [{ filtering: 'unknown' }, 'homes[0].nat.filtering'],
    [{ filterScope: 'host' }, 'homes[0].nat.filterScope'],
    [{ portAllocation: 'odd' }, 'homes[0].nat.portAllocation'],
    [{ portAllocation: {} }, 'homes[0].nat.portAllocation.sequential'],
    [{ portAllocation: { sequential: 0 } }, 'homes[0].nat.portAllocation.sequential'],
    [{ portAllocation: { sequential: 1, from: 2 } }, 'homes[0].nat.portAllocation.from'],
    [{ ports: { first: 0 } }, 'homes[0].nat.ports.first'],
    [{ ports: { first: 3000, last: 2000 } }, 'homes[0].nat.ports.last'],
    [{ portReuse: true }, 'homes[0].nat.portReuse'],
    [{ pooling: 'random' }, 'homes[0].nat.pooling'],
    [{ hairpin: true }, 'homes[0].nat.hairpin'],
    [{ pinning: 'yes' }, 'homes[0].nat.pinning'],
    [{ unsolicited: 'dropped' }, 'homes[0].nat.unsolicited'],
    [{ icmpErrors: 1 }, 'homes[0].nat.icmpErrors'],
    [{ refresh: 'none' }, 'homes[0].nat.refresh'],
    [{ udp: { unanswered: 0.5 } }, 'homes[0].nat.udp.unanswered'],
    [{ udp: 30_000 }, 'homes[0].nat.udp'],
    [{ tcp: { established: -1 } }, 'homes[0].nat.tcp.established'],
    [{ tcp: { unsolicitedSyn: 'ignore' } }, 'homes[0].nat.tcp.unsolicitedSyn'],
    [{ tcp: { simultaneousOpen: 'no' } }, 'homes[0].nat.tcp.simultaneousOpen'],
    [{ capacity: 0 }, 'homes[0].nat.capacity'],
    [{ maping: 'endpoint-independent' }, 'homes[0].nat.maping'],
    [[], 'homes[0].nat'],
    [null, 'homes[0].nat'],
  ])('refuses %j, naming %s', (spec, path) => {
    expect(() => readNatSpec(spec, 'homes[0].nat')).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(`${path}: `) }),
    );
  });
});
