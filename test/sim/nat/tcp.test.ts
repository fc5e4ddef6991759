import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import { icmpPacket, tcpPacket } from '../../../src/sim/packet.ts';
import { at, EXTERNAL, inside, type NatBench, natBench, remote } from './nat-bench.ts';

const INSIDE = formatEndpoint(inside());
const SYN = { syn: true };
const SYN_ACK = { syn: true, ack: true };
const ACK = { ack: true };
const FIN = { fin: true, ack: true };
const RST = { rst: true };

function connect(bench: NatBench): string {
  const external = bench.tcpOut(inside(), remote(), SYN);
  expect(bench.tcpIn(remote(), external, SYN_ACK)).toBe(INSIDE);
  expect(bench.tcpOut(inside(), remote(), ACK)).toBe(external);
  return external;
}

describe('TCP mapping (RFC 5382 REQ-1)', () => {
  test('is that of UDP: endpoint-independent', () => {
    const bench = natBench();
    const seen = [remote(1), remote(2)].map((to) => bench.tcpOut(inside(), to, SYN));
    expect(new Set(seen).size).toBe(1);
  });

  test('only a SYN opens a connection', () => {
    const bench = natBench();
    for (const flags of [ACK, FIN, RST, SYN_ACK]) {
      expect(bench.tcpOut(inside(), remote(), flags)).toBe('TCP segment of no connection');
    }
    expect(bench.nat.mappings(0)).toEqual([]);
  });

  test('a connection is picked up where the NAT does that, and taken for an established one', () => {
    const bench = natBench({ tcp: { pickUp: true, transitory: 120_000, established: 7_440_000 } });
    for (const flags of [FIN, RST, SYN_ACK]) {
      expect(bench.tcpOut(inside(), remote(), flags)).toBe('TCP segment of no connection');
    }
    const external = bench.tcpOut(inside(), remote(), ACK);
    expect(bench.nat.mappings(0)).toMatchObject([{ protocol: 'tcp', remotes: [remote()] }]);
    bench.now = 7_439_999;
    expect(bench.tcpIn(remote(), external, ACK)).toBe(INSIDE);
  });

  test('a connection from outside is answered from where it came to, however mapping is', () => {
    const bench = natBench({ mapping: 'address-and-port-dependent', filtering: 'endpoint-independent' });
    const external = bench.tcpOut(inside(), remote(1), SYN);
    expect(bench.tcpIn(remote(2), external, SYN)).toBe(INSIDE);
    expect(bench.tcpOut(inside(), remote(2), SYN_ACK)).toBe(external);
  });

  test('segments of no connection from outside are for the router', () => {
    expect(natBench().tcpIn(remote(), `${EXTERNAL}:80`, SYN_ACK)).toBe('local');
  });
});

describe('simultaneous open (RFC 5382 REQ-2)', () => {
  test('a SYN that meets ours comes in', () => {
    const bench = natBench();
    const external = bench.tcpOut(inside(), remote(), SYN);
    expect(bench.tcpIn(remote(), external, SYN)).toBe(INSIDE);
    expect(bench.tcpOut(inside(), remote(), SYN_ACK)).toBe(external);
    expect(bench.tcpIn(remote(), external, SYN_ACK)).toBe(INSIDE);
  });

  test('where the NAT does not support it, it is as any unsolicited SYN', () => {
    const bench = natBench({ tcp: { simultaneousOpen: false, unsolicitedSyn: 'drop' } });
    const external = bench.tcpOut(inside(), remote(), SYN);
    expect(bench.tcpIn(remote(), external, SYN)).toBe('unsolicited SYN');
    expect(bench.tcpIn(remote(), external, SYN_ACK)).toBe(INSIDE);
    expect(bench.tcpIn(remote(), external, SYN)).toBe(INSIDE);
  });
});

describe('unsolicited SYNs (RFC 5382 REQ-4)', () => {
  const syn = tcpPacket(remote(), at(`${EXTERNAL}:5000`), { syn: true, sequence: 2 ** 32 - 1 });

  test('drop', () => {
    const { nat } = natBench({ tcp: { unsolicitedSyn: 'drop' } });
    expect(nat.inbound(syn, 0)).toEqual({ action: 'drop', reason: 'unsolicited SYN' });
    expect(nat.wakeAt).toBeUndefined();
  });

  test('reset: RST that acknowledges the SYN', () => {
    const { nat } = natBench({ tcp: { unsolicitedSyn: 'reset' } });
    expect(nat.inbound(syn, 0)).toEqual({
      action: 'reply',
      packet: tcpPacket(syn.destination, syn.source, { rst: true, ack: true, acknowledgement: 0 }),
      reason: 'unsolicited SYN',
    });
  });

  test('wait: an ICMP error after 6 s', () => {
    const { nat } = natBench();
    expect(nat.inbound(syn, 1000)).toMatchObject({ action: 'drop' });
    expect(nat.inbound(syn, 4000)).toMatchObject({ action: 'drop' });
    expect(nat.wakeAt).toBe(7000);
    expect(nat.poll?.(6999)).toEqual([]);
    expect(nat.poll?.(7000)).toEqual([icmpPacket(EXTERNAL, syn, 'port-unreachable')]);
    expect(nat.wakeAt).toBeUndefined();
    expect(nat.poll?.(60_000)).toEqual([]);
  });

  test('wait: nothing when our SYN for the same connection goes out meanwhile', () => {
    const bench = natBench({ portAllocation: 'preserve' });
    bench.nat.inbound(syn, 0);
    expect(bench.tcpOut(inside(), remote(2), SYN)).toBe(`${EXTERNAL}:5000`);
    expect(bench.nat.wakeAt).toBe(6000);
    expect(bench.tcpOut(inside(), remote(), SYN)).toBe(`${EXTERNAL}:5000`);
    expect(bench.nat.wakeAt).toBeUndefined();
    expect(bench.tcpIn(remote(), `${EXTERNAL}:5000`, SYN)).toBe(INSIDE);
  });

  test('wait: a bounded number is held', () => {
    const { nat } = natBench();
    for (let port = 1; port <= 2000; port++) nat.inbound(tcpPacket(remote(1, port), syn.destination, SYN), 0);
    expect(nat.poll?.(6000)).toHaveLength(1024);
  });

  test('a filtered SYN is unsolicited too', () => {
    const bench = natBench();
    const external = connect(bench);
    expect(bench.tcpIn(remote(2), external, SYN)).toBe('unsolicited SYN');
    expect(bench.nat.wakeAt).toBe(6000);
  });
});

describe('TCP timeouts (RFC 5382 REQ-5)', () => {
  const MINUTE = 60_000;
  const isKnown = (bench: NatBench, external: string): boolean => bench.tcpIn(remote(), external, ACK) === INSIDE;

  test.each([
    { name: 'half open', lasts: 4 * MINUTE, open: (bench: NatBench) => bench.tcpOut(inside(), remote(), SYN) },
    { name: 'established', lasts: 124 * MINUTE, open: connect },
    {
      name: 'half closed',
      lasts: 124 * MINUTE,
      open: (bench: NatBench) => {
        connect(bench);
        return bench.tcpOut(inside(), remote(), FIN);
      },
    },
    {
      name: 'closed by both',
      lasts: 4 * MINUTE,
      open: (bench: NatBench) => {
        const external = connect(bench);
        bench.tcpOut(inside(), remote(), FIN);
        bench.tcpIn(remote(), external, FIN);
        return external;
      },
    },
    {
      name: 'reset',
      lasts: 4 * MINUTE,
      open: (bench: NatBench) => {
        const external = connect(bench);
        bench.tcpIn(remote(), external, RST);
        return external;
      },
    },
  ])('$name', ({ lasts, open }) => {
    for (const [now, expected] of [
      [lasts - 1, true],
      [lasts, false],
    ] as const) {
      const bench = natBench();
      const external = open(bench);
      bench.now = now;
      expect(isKnown(bench, external)).toBe(expected);
    }
  });

  test('an RST ends what was idle for long only after the transitory time, which more of them do not lengthen', () => {
    for (const [later, expected] of [
      [4 * MINUTE - 1, true],
      [4 * MINUTE, false],
    ] as const) {
      const bench = natBench();
      const external = connect(bench);
      bench.now = 100 * MINUTE;
      bench.tcpIn(remote(), external, RST);
      bench.now += 3 * MINUTE;
      bench.tcpIn(remote(), external, RST);
      bench.now = 100 * MINUTE + later;
      expect(isKnown(bench, external)).toBe(expected);
    }
  });

  test('traffic after an RST shows that the connection stands', () => {
    const bench = natBench();
    const external = connect(bench);
    bench.now = 100 * MINUTE;
    bench.tcpIn(remote(), external, RST);
    bench.tcpOut(inside(), remote(), ACK);
    bench.now = 223 * MINUTE;
    expect(isKnown(bench, external)).toBe(true);
  });

  test.each([
    { name: 'reset', close: (bench: NatBench, external: string) => bench.tcpIn(remote(), external, RST) },
    {
      name: 'closed by both',
      close: (bench: NatBench, external: string) => {
        bench.tcpOut(inside(), remote(), FIN);
        bench.tcpIn(remote(), external, FIN);
      },
    },
  ])('a SYN on what was $name begins anew', ({ close }) => {
    const bench = natBench();
    const external = connect(bench);
    close(bench, external);
    connect(bench);
    bench.now = 10 * MINUTE;
    expect(isKnown(bench, external)).toBe(true);
  });

  test('what takes the place of an expired connection outlives it', () => {
    const bench = natBench();
    const protocol = 'tcp';
    bench.nat.explicit.add({ protocol, internal: inside(), externalPort: 80, lifetime: 1000 * MINUTE }, 0);
    connect(bench);
    bench.now = 124 * MINUTE;
    const external = connect(bench);
    bench.now += 10_000;
    bench.tcpOut(inside(3), remote(), SYN);
    expect(isKnown(bench, external)).toBe(true);
    expect(bench.tcpOut(inside(), remote(), ACK)).toBe(external);
  });
});
