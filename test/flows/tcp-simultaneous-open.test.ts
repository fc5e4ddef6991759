import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import type { Json } from '../../src/core/strategy.ts';
import { tcpSimultaneousOpen } from '../../src/flows/strategies/tcp-simultaneous-open.ts';
import { decodeMessage, encodeMessage } from '../../src/protocol/stun/index.ts';
import { type FirewallSpec, type Internet, internet, type NatSpec, type NetworkSpec } from '../../src/sim/index.ts';
import { addressOf } from '../sim/datagrams.ts';
import { homes as homesForecast, type Kind, kind, prospect } from '../sim/oracle/pair.ts';
import { type RigOptions, type RigResult, runBothSides } from './two-sided-rig.ts';

const { strategy } = tcpSimultaneousOpen();
const NO_UDP: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: 'any' }] };
const DROPS: NatSpec = { tcp: { unsolicitedSyn: 'drop' } };

/** A server with STUN, and Alice and Bob each behind a router, 80 ms apart. */
function worldOf(a: NetworkSpec, b: NetworkSpec, seed = 1): Internet {
  const world = internet({ seed });
  world.host('server', { services: [{ type: 'stun' }] });
  world.lan('home a', a).host('alice');
  world.lan('home b', b).host('bob');
  return world;
}

type Meeting = Awaited<ReturnType<typeof runBothSides>> & {
  readonly world: Internet;
  /** ms that the dialer's run took. */
  readonly took: number;
};

async function meet(world: Internet, options: Partial<RigOptions> = {}): Promise<Meeting> {
  const since = world.clock.now();
  const ended = await runBothSides({ world, dialer: 'alice', listener: 'bob', strategy, ...options });
  return { ...ended, world, took: world.clock.now() - since };
}

const home = (nat: NatSpec): NetworkSpec => ({ nat, firewall: NO_UDP });

function reasonOf({ result }: RigResult): string {
  return result.ok ? 'it found a path' : result.reason;
}

describe('TCP simultaneous open', () => {
  it.each<[string, NatSpec]>([
    ['drop what comes unasked', DROPS],
    ['answer it with RST', { tcp: { unsolicitedSyn: 'reset' } }],
    ['hold it, as RFC 5382 asks', { tcp: { unsolicitedSyn: 'wait' } }],
    ['filter nothing', { filtering: 'endpoint-independent' }],
    ['keep ports', { portAllocation: 'preserve', tcp: { unsolicitedSyn: 'drop' } }],
  ])('makes a direct path over TCP without UDP, where both NATs %s', async (_what, nat) => {
    const { dialer, listener, world, took } = await meet(worldOf(home(nat), home(nat)));
    for (const side of [dialer, listener!]) {
      expect(side.result).toMatchObject({ ok: true });
      if (side.result.ok) side.side.table.use(side.result.path);
      expect(side.side.table.current).toMatchObject({ transport: 'tcp', strategy: 'tcp-simultaneous-open' });
      expect(side.leftOpen).toBe(0);
    }
    dialer.side.table.send(Uint8Array.of(0x40, 1));
    await world.clock.advance(80);
    expect(listener!.side.received).toEqual(['4001']);
    // Asking STUN on both sides, one after the other, 160 ms each; what is said 80 and 40; the dials 80 and more; the proof 80.
    expect(took).toBeLessThan(1_000);
    expect([world.hostNamed('alice').tcp.open, world.hostNamed('bob').tcp.open]).toEqual([1, 1]);
  });

  it('is over soon for a dialer whose NAT maps by destination, who asks nobody to take part', async () => {
    const { dialer, listener, took } = await meet(worldOf(home(kind('APD/APD')), home(DROPS)));
    expect(reasonOf(dialer)).toBe('the NAT maps a TCP port anew for each destination');
    expect(listener).toBeUndefined();
    expect(took).toBeLessThan(200);
    expect(dialer.leftOpen).toBe(0);
  });

  it('is declined by a listener whose NAT does', async () => {
    const { dialer, took } = await meet(worldOf(home(DROPS), home(kind('APD/APD'))));
    expect(dialer.result).toMatchObject({
      code: 'ERR_DECLINED',
      reason: 'the NAT maps a TCP port anew for each destination',
    });
    expect(took).toBeLessThan(500);
    expect(dialer.leftOpen).toBe(0);
  });

  it('fails in time where a NAT maps by address only, as servers cannot tell; nothing is left', async () => {
    const nat = (): NatSpec => ({ ...kind('AD/APD'), tcp: { unsolicitedSyn: 'drop' } });
    const { dialer, listener, world, took } = await meet(worldOf(home(nat()), home(nat())));
    for (const side of [dialer, listener!]) {
      expect(side.result).toMatchObject({ ok: false, code: 'ERR_PUNCH_EXHAUSTED' });
      expect(side).toMatchObject({ leftOpen: 0 });
    }
    expect(took).toBeLessThan(10_000);
    expect(took).toBeLessThan(strategy.bounds.time);
    await world.clock.advance(1_000);
    expect([world.hostNamed('alice').tcp.open, world.hostNamed('bob').tcp.open]).toEqual([0, 0]);
  });

  it('needs a STUN server or a public address', async () => {
    const { dialer } = await meet(worldOf(home(DROPS), home(DROPS)), { stun: ['alice:9', 'nobody:3478', 'x'] });
    expect(reasonOf(dialer)).toBe('no STUN server answered over TCP, and no address is public');
    const { dialer: ipv6 } = await meet(worldOf({ ipv6: true, firewall: NO_UDP }, { ipv6: true, firewall: NO_UDP }), {
      stun: [],
    });
    expect(ipv6.result).toMatchObject({ ok: true });
  });

  it('goes through firewalls over IPv6, whatever the NATs do to IPv4', async () => {
    const spec = (): NetworkSpec => ({ nat: kind('APD/APD'), ipv6: true, firewall: NO_UDP });
    const { dialer } = await meet(worldOf(spec(), spec()));
    if (dialer.result.ok) dialer.side.table.use(dialer.result.path);
    expect(dialer.side.table.current?.remote).toMatch(/^\[/);
  });
});

describe('what the other side says', () => {
  async function forged(
    params: Json,
    options: Partial<RigOptions> = {},
  ): Promise<{ readonly aimedAt: ReadonlyMap<string, number>; dialer: RigResult }> {
    const world = worldOf(home(DROPS), home(DROPS));
    const aimedAt = new Map<string, number>();
    world.watch(({ fate, place, packet }) => {
      if (fate !== 'sent' || place !== 'alice' || packet.protocol !== 'tcp' || !packet.segment.syn) return;
      const { address, port } = packet.destination;
      if (port !== 3478 && port !== 3479) aimedAt.set(address, (aimedAt.get(address) ?? 0) + 1);
    });
    const forge: RigOptions['forge'] = (said, role) => (role === 'listener' ? params : said);
    const { dialer } = await meet(world, { forge, ...options });
    expect(dialer.leftOpen).toBe(0);
    return { aimedAt, dialer };
  }

  it.each<[string, Json]>([
    ['nothing', null],
    ['text', '198.51.100.7:5000'],
    ['no list', { at: '198.51.100.7:5000' }],
    ['no addresses', { at: [5, null, {}, 'example.org:5000', '198.51.100.7'] }],
    ['loopback', { at: ['127.0.0.1:5000', '[::1]:5000'] }],
    ['what is no unicast', { at: ['224.0.0.1:5000', '255.255.255.255:5000', '0.0.0.0:5000', '[ff02::1]:5000'] }],
    ['ports of services', { at: ['198.51.100.7:22', '198.51.100.7:443', '198.51.100.7:1023', '198.51.100.7:0'] }],
  ])('is not dialled when it is %s', async (_what, params) => {
    const { aimedAt, dialer } = await forged(params);
    expect([...aimedAt]).toEqual([]);
    expect(reasonOf(dialer)).toBe('the other side named no address that may be dialled');
  });

  it('aims no more than 20 SYNs at no more than four addresses, however often each is told', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `198.51.100.${100 + i}:5000`);
    const { aimedAt, dialer } = await forged({ at: many });
    expect([...aimedAt.values()]).toEqual([5, 5, 5, 5]);
    expect(dialer.sent).toBe(2 + 20);
    const { aimedAt: one } = await forged({ at: Array.from({ length: 4 }, () => '198.51.100.7:5000') });
    expect([...one]).toEqual([['198.51.100.7', 20]]);
  });

  it('is dialled no more often than the peer may aim at addresses that it was told', async () => {
    const { aimedAt, dialer } = await forged({ at: ['198.51.100.7:5000'] }, { aims: 3 });
    expect([...aimedAt]).toEqual([['198.51.100.7', 3]]);
    expect(reasonOf(dialer)).toBe('no TCP connection came about with 198.51.100.7:5000');
  });

  it('does not lead from the internet into a private network', async () => {
    const { aimedAt } = await forged({
      at: ['192.168.1.100:5000', '10.0.0.1:5000', '100.64.0.1:5000', '[fd00::1]:5000'],
    });
    expect([...aimedAt]).toEqual([]);
  });

  it('is not believed of a server that sees, or is, an address in a private network', async () => {
    const office = worldOf(home(DROPS), home(DROPS));
    const inside = addressOf(office.lan('office', { nat: {} }).host('inside', { services: [{ type: 'stun' }] }));
    const { dialer: lured, world } = await meet(office, { stun: [`${inside}:3478`] });
    expect(reasonOf(lured)).toBe('no STUN server answered over TCP, and no address is public');
    expect(lured.sent).toBe(0);
    const liar = world.host('liar');
    liar.tcp.listen({ port: 3478 }, async (stream) => {
      const { method, transactionId } = decodeMessage((await stream.read())!);
      const attributes = [{ type: 'xor-mapped-address', endpoint: endpoint('192.168.1.100', 5_000) }] as const;
      await stream.write(encodeMessage({ class: 'success', method, transactionId, attributes }));
    });
    const { dialer: misled } = await meet(world, { stun: ['liar:3478'] });
    expect(reasonOf(misled)).toBe('no STUN server answered over TCP, and no address is public');
    expect(misled.sent).toBe(1);
  });

  it.each(['dialer', 'listener'] as const)('shows by nothing that the %s does what was there', async (role) => {
    const lasted: number[] = [];
    for (const place of ['open', 'shut', 'silent']) {
      const world = worldOf(home(DROPS), home(DROPS));
      const host = world.host('bystander', { addresses: ['198.51.100.7'] });
      if (place === 'open') host.tcp.listen({ port: 8080 }, () => {});
      const at = [place === 'silent' ? '198.51.100.8:8080' : '198.51.100.7:8080'];
      const { dialer, listener } = await meet(world, { forge: (said, teller) => (teller === role ? said : { at }) });
      const side = role === 'dialer' ? dialer : listener!;
      expect(side.result).toMatchObject({ ok: false, code: 'ERR_PUNCH_EXHAUSTED' });
      lasted.push(side.took);
    }
    expect(lasted).toEqual(Array(3).fill(lasted[0]));
  });

  it('does not make it dial itself', async () => {
    const world = worldOf(home(DROPS), home(DROPS));
    let own: Json = null;
    const forge: RigOptions['forge'] = (said, role) => {
      if (role === 'dialer') own = said;
      return role === 'listener' ? own : said;
    };
    const { dialer } = await meet(world, { forge });
    expect(reasonOf(dialer)).toBe('the other side named no address that may be dialled');
  });
});

describe('where the oracle says that it is possible, it is reached', () => {
  const tcps: NatSpec['tcp'][] = [{ unsolicitedSyn: 'drop' }, { unsolicitedSyn: 'reset' }];
  const kinds: readonly Kind[] = ['EI/EI', 'EI/APD', 'APD/EI', 'APD/APD'];

  it.each(
    tcps.flatMap((tcp) => kinds.flatMap((a) => kinds.map((b) => ({ a, b, tcp, unsolicited: tcp!.unsolicitedSyn })))),
  )('$a x $b, $unsolicited', async ({ a, b, tcp }) => {
    const site = (name: Kind): NetworkSpec => home(kind(name, { tcp }));
    const forecast = prospect(homesForecast(site(a), site(b)), 'tcp-simultaneous-open');
    const { dialer } = await meet(worldOf(site(a), site(b)));
    if (forecast?.probability === 1) expect(dialer.result, reasonOf(dialer)).toMatchObject({ ok: true });
    if (forecast === undefined) expect(dialer.result).toMatchObject({ ok: false });
  });
});
