import { describe, expect, it } from 'vitest';
import type { Binding } from '../../../src/core/binding.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import type { Dependence } from '../../../src/core/nat-behavior.ts';
import { alternates, classify, type FilteringTest, otherAddress } from '../../../src/protocol/behavior/index.ts';

const local = endpoint('192.168.1.2', 5000);
const a1 = endpoint('198.51.100.1', 3478);
const a2 = endpoint('198.51.100.1', 3479);
const b1 = endpoint('198.51.100.2', 3478);
const b2 = endpoint('198.51.100.2', 3479);

describe('mapping', () => {
  it.each<[string, [Endpoint, number][], Dependence]>([
    ['nothing', [], 'unknown'],
    ['one server', [[a1, 1]], 'unknown'],
    [
      'two addresses, one mapping',
      [
        [a1, 1],
        [b1, 1],
      ],
      'endpoint-independent',
    ],
    [
      'two addresses and ports, one mapping',
      [
        [a1, 1],
        [b2, 1],
      ],
      'endpoint-independent',
    ],
    [
      'two ports of one address, one mapping',
      [
        [a1, 1],
        [a2, 1],
      ],
      'unknown',
    ],
    [
      'two ports of one address, two mappings',
      [
        [a1, 1],
        [a2, 2],
      ],
      'address-and-port-dependent',
    ],
    [
      'two addresses, two mappings',
      [
        [a1, 1],
        [b1, 2],
      ],
      'unknown',
    ],
    [
      'a mapping an address, ports compared',
      [
        [a1, 1],
        [b1, 2],
        [b2, 2],
      ],
      'address-dependent',
    ],
    [
      'a mapping an endpoint',
      [
        [a1, 1],
        [b1, 2],
        [b2, 3],
      ],
      'address-and-port-dependent',
    ],
    [
      'a server that was asked again after a rebinding',
      [
        [a1, 1],
        [a1, 2],
        [b1, 2],
      ],
      'endpoint-independent',
    ],
  ])('from %s', (_name, observed, mapping) => {
    const bindings = observed.map(([server, port]) => binding(server, endpoint('203.0.113.7', port)));
    expect(classify(bindings, [local]).mapping).toBe(mapping);
    expect(classify(bindings.toReversed(), [local]).evidence).toHaveLength(new Set(observed.map(([at]) => at)).size);
  });

  it('differs when only the external address does (RFC 4787 section 4.1, pooling)', () => {
    const bindings = [binding(a1, endpoint('203.0.113.7', 1)), binding(a2, endpoint('203.0.113.8', 1))];
    expect(classify(bindings, [local]).mapping).toBe('address-and-port-dependent');
  });
});

describe('translation', () => {
  it('is none when a server sees one of our own endpoints, and then one server is enough', () => {
    expect(classify([binding(a1, local)], [local])).toMatchObject({
      translated: false,
      mapping: 'endpoint-independent',
      portPreservation: true,
    });
  });

  it('is there when the address is ours and the port is not', () => {
    expect(classify([binding(a1, { ...local, port: 1 })], [local])).toMatchObject({
      translated: true,
      mapping: 'unknown',
    });
  });

  it('is unknown without a binding, or without local endpoints to compare with', () => {
    expect(classify([], [local]).translated).toBe('unknown');
    expect(classify([binding(a1, local)], []).translated).toBe('unknown');
  });
});

describe('port preservation', () => {
  it.each<[number[], boolean | 'unknown']>([
    [[], 'unknown'],
    [[5000, 5000], true],
    [[5000, 5001], false],
  ])('of external ports %j is %s', (ports, portPreservation) => {
    const bindings = ports.map((port, i) => binding(i === 0 ? a1 : b1, endpoint('203.0.113.7', port)));
    expect(classify(bindings, [local]).portPreservation).toBe(portPreservation);
  });
});

describe('filtering', () => {
  const mapped = endpoint('203.0.113.7', 1);
  const alive = [a1, a2, b2].map((server) => binding(server, mapped));

  it.each<[FilteringTest['outcome'] | undefined, FilteringTest['outcome'] | undefined, Dependence]>([
    [undefined, undefined, 'unknown'],
    ['answered', 'answered', 'endpoint-independent'],
    ['answered', 'silent', 'endpoint-independent'],
    ['silent', 'answered', 'address-dependent'],
    ['silent', 'silent', 'address-and-port-dependent'],
    ['refused', 'silent', 'address-and-port-dependent'],
    ['silent', 'refused', 'unknown'],
    ['refused', 'answered', 'unknown'],
  ])('other address %s, other port %s', (byAddress, byPort, filtering) => {
    expect(classify(alive, [local], tests(byAddress, byPort)).filtering).toBe(filtering);
  });

  it('is unknown when the silent endpoints never answered anybody', () => {
    expect(classify(alive.slice(0, 1), [local], tests('silent', 'silent')).filtering).toBe('unknown');
    expect(classify(alive.slice(0, 2), [local], tests('silent', 'answered')).filtering).toBe('unknown');
  });

  it('gives each test as a line of evidence', () => {
    expect(classify(alive.slice(0, 1), [local], tests('silent', 'answered')).evidence).toEqual([
      '198.51.100.1:3478 sees 192.168.1.2:5000 as 203.0.113.7:1',
      '198.51.100.1:3478 asked to answer from 198.51.100.2:3479: silent',
      '198.51.100.1:3478 asked to answer from 198.51.100.1:3479: answered',
    ]);
  });

  function tests(byAddress?: FilteringTest['outcome'], byPort?: FilteringTest['outcome']): FilteringTest[] {
    return [
      ...(byAddress === undefined ? [] : [{ server: a1, from: b2, outcome: byAddress }]),
      ...(byPort === undefined ? [] : [{ server: a1, from: a2, outcome: byPort }]),
    ];
  }
});

describe('the other addresses of a server', () => {
  it('are its other address and port in every combination', () => {
    expect(alternates({ ...binding(a1, local), other: b2 })).toEqual([b1, b2, a2]);
    expect(otherAddress({ ...binding(a1, local), other: b2 })).toEqual(b2);
  });

  it('serve no test of filtering when only the address or the port is another', () => {
    expect(otherAddress({ ...binding(a1, local), other: b1 })).toBeUndefined();
    expect(otherAddress({ ...binding(a1, local), other: a2 })).toBeUndefined();
  });

  it.each([
    ['loopback', endpoint('127.0.0.1', 22)],
    ['private', endpoint('192.168.1.1', 53)],
    ['multicast', endpoint('239.0.0.1', 1900)],
    ['of another family', endpoint('2001:db8::1', 3479)],
    ['port 0', endpoint('198.51.100.2', 0)],
  ])('are none when a public server names one that is %s', (_name, other) => {
    expect(alternates({ ...binding(a1, local), other })).toEqual([]);
  });

  it('are none when it names none', () => {
    expect(alternates(binding(a1, local))).toEqual([]);
  });
});

function binding(server: Endpoint, mapped: Endpoint): Binding {
  return { server, local, mapped, rtt: 10 };
}
