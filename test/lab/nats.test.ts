import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COTURN_PORT, startCoturn } from './net/coturn.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab } from './net/lab.ts';
import { NATS, type NatSpec } from './net/nat.ts';
import { fetchTcp, probeNat, serveTcp, UdpProbe } from './net/probe/probes.ts';
import { describeInLab } from './net/requirements.ts';

describeInLab('NATs of the laboratory, seen from behind them', () => {
  let lab: Lab;
  let server: Host;
  const probe = (host: Host) => probeNat(host, { address: server.address, port: COTURN_PORT });

  beforeAll(async () => {
    lab = await createLab();
    server = await lab.publicHost('server', { addresses: 2 });
    await startCoturn(server);
  });
  afterAll(() => lab.close());

  const open = Object.entries<NatSpec>(NATS).filter(([, spec]) => spec.firewall === undefined);
  it.each(open)('%s maps and filters as it says', async (name, spec) => {
    const { hosts, publicAddress } = await lab.site(siteName(name), { nat: spec });
    const seen = await probe(hosts[0]!);
    expect(seen).toMatchObject({ mapping: spec.mapping, filtering: spec.filtering });
    for (const mapped of seen.mapped) {
      const [address, port] = mapped.split(':');
      expect(address).toBe(publicAddress);
      expect(Number(port) === seen.local).toBe(spec.ports === 'preserved');
    }
  });

  it('a public host has no NAT', async () => {
    const host = await lab.publicHost('public');
    const seen = await probe(host);
    expect(seen).toMatchObject({ mapping: 'endpoint-independent', filtering: 'endpoint-independent' });
    expect(new Set(seen.mapped)).toEqual(new Set([`${host.address}:${seen.local}`]));
  });

  it('two NATs in a row show the stricter of each', async () => {
    const { hosts, publicAddress, carrier } = await lab.site('carried', {
      nat: NATS['EI/APD'],
      carrier: NATS['APD/EI'],
    });
    const seen = await probe(hosts[0]!);
    expect(seen).toMatchObject({ mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' });
    expect(seen.mapped.every((mapped) => mapped.startsWith(`${publicAddress}:`))).toBe(true);
    expect(await carrier!.run('conntrack', ['-L', '-p', 'udp'])).toContain('src=100.64.');
  });

  it.each([
    ['endpoint-independent', NATS['EI/EI']],
    ['address-and-port-dependent', NATS['EI/APD']],
  ])('a packet that comes too early does not change the mapping: %s filtering', async (filtering, nat) => {
    const { hosts, publicAddress } = await lab.site(siteName(`early ${filtering}`), { nat });
    const [outside, inside] = await Promise.all([UdpProbe.open(server), UdpProbe.open(hosts[0]!, 40_000)]);
    await outside.send(publicAddress, inside.port, 'early', 3);
    await inside.send(server.address, outside.port, 'out');
    expect(await outside.receive(/^out$/)).toMatchObject({ address: publicAddress, port: inside.port });
    await outside.send(publicAddress, inside.port, 'answer');
    expect(await inside.receive(/^/)).toMatchObject({ address: server.address, text: 'answer' });
  });

  it('forgets its mappings in a reboot', async () => {
    const { hosts, nat } = await lab.site('rebooted', { nat: NATS['EI/APD, random ports'] });
    const [outside, inside] = await Promise.all([UdpProbe.open(server), UdpProbe.open(hosts[0]!)]);
    const seenPort = async (text: string) => {
      await inside.send(server.address, outside.port, text);
      return (await outside.receive(new RegExp(text))).port;
    };
    const before = await seenPort('one');
    expect(await seenPort('two')).toBe(before);
    await nat.reboot();
    expect(await seenPort('three')).not.toBe(before);
  });

  it('hosts of one site reach each other on the LAN, and not by way of the public address', async () => {
    const { hosts, publicAddress } = await lab.site('home', { nat: NATS['EI/EI'], hosts: 2 });
    const [a, b] = await Promise.all([UdpProbe.open(hosts[0]!), UdpProbe.open(hosts[1]!)]);
    await b.send(server.address, COTURN_PORT, 'opens a mapping');
    await a.send(publicAddress, b.port, 'hairpin');
    await a.send(hosts[1]!.address, b.port, 'direct');
    expect(await b.receive(/^(hairpin|direct)$/)).toMatchObject({ address: hosts[0]!.address, text: 'direct' });
  });
});

describeInLab('firewalls of the laboratory', () => {
  let lab: Lab;
  let server: Host;

  beforeAll(async () => {
    lab = await createLab();
    server = await lab.publicHost('server', { addresses: 2 });
    await Promise.all([startCoturn(server), serveTcp(server, 1000, [80, 443])]);
  });
  afterAll(() => lab.close());

  it.each([
    ['EI/APD', 3, 'fetched', 'fetched'],
    ['drops UDP', 0, 'fetched', 'fetched'],
    ['only TCP 443 out', 0, 'timeout', 'fetched'],
  ] as const)('%s: %i STUN answers, TCP 80 %s, TCP 443 %s', async (name, answers, onPort80, onPort443) => {
    const { hosts } = await lab.site(siteName(name), { nat: NATS[name] });
    const [host] = hosts;
    const [stun, http, https] = await Promise.all([
      probeNat(host!, { address: server.address, port: COTURN_PORT }),
      fetchTcp(host!, server.address, 80),
      fetchTcp(host!, server.address, 443),
    ]);
    expect(stun.mapped).toHaveLength(answers);
    expect(http.outcome).toBe(onPort80);
    expect(https.outcome).toBe(onPort443);
  });
});

describeInLab('IPv6 in the laboratory', () => {
  it('is without NAT, and the firewall of a site lets in what answers, and nothing else', async () => {
    await using lab = await createLab();
    const [far, site] = await Promise.all([
      lab.publicHost('far', { ipv6: true }),
      lab.site('home', { nat: NATS['EI/APD'], ipv6: true, hosts: 2, delay: 1 }),
    ]);
    const [near, neighbour] = site.hosts;
    const [outside, stranger, inside, other] = await Promise.all([
      UdpProbe.open(far, 0, 6),
      UdpProbe.open(far, 0, 6),
      UdpProbe.open(near!, 0, 6),
      UdpProbe.open(neighbour!, 0, 6),
    ]);
    await other.send(far.ipv6!, outside.port, 'hello');
    expect(await outside.receive(/^/)).toMatchObject({ address: neighbour!.ipv6, text: 'hello' });
    await outside.send(near!.ipv6!, inside.port, 'early');
    await outside.send(neighbour!.ipv6!, other.port, 'later'); // what went the same way before it is refused by now
    await other.receive(/^later$/);
    await inside.send(far.ipv6!, outside.port, 'out');
    expect(await outside.receive(/^/)).toEqual({ address: near!.ipv6, port: inside.port, text: 'out' });
    await stranger.send(near!.ipv6!, inside.port, 'from another port');
    await outside.send(near!.ipv6!, inside.port, 'answer');
    expect(await inside.receive(/^/)).toEqual({ address: far.ipv6, port: outside.port, text: 'answer' });
    await other.send(near!.ipv6!, inside.port, 'from the LAN');
    expect(await inside.receive(/^/)).toMatchObject({ address: neighbour!.ipv6, text: 'from the LAN' });
  });
});

describeInLab('lines of the laboratory', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab();
  });
  afterAll(() => lab.close());

  it('delay what they carry, to the millisecond', async () => {
    const delay = 20;
    const far = await lab.publicHost('far');
    const [direct, delayed] = await Promise.all([
      lab.site('direct', { nat: NATS['EI/APD'] }),
      lab.site('delayed', { nat: NATS['EI/APD'], delay }),
    ]);
    const [echo, near, distant] = await Promise.all(
      [far, direct.hosts[0]!, delayed.hosts[0]!].map((host) => UdpProbe.open(host)),
    );
    await echo!.echo();
    // What else this machine does only adds to a round trip, so the quickest of many are what the lines cost.
    const [base, rtt] = [[] as number[], [] as number[]];
    for (let i = 0; i < 31; i++) {
      base.push(...(await near!.ping(far.address, echo!.port, 1)));
      rtt.push(...(await distant!.ping(far.address, echo!.port, 1)));
    }
    expect(Math.min(...rtt)).toBeGreaterThanOrEqual(2 * delay);
    expect(Math.min(...rtt) - Math.min(...base) - 2 * delay).toBeLessThan(1);
  });

  it('carry 200 Mbit/s while they delay', async () => {
    const bytes = 64 * 2 ** 20;
    const far = await lab.publicHost('source');
    await serveTcp(far, bytes, [8080]);
    const { hosts } = await lab.site('sink', { nat: NATS['EI/APD'], delay: 5 });
    const result = await fetchTcp(hosts[0]!, far.address, 8080);
    if (result.outcome !== 'fetched') throw new Error(result.outcome);
    expect(result.bytes).toBe(bytes);
    expect((result.bytes * 8) / 1e6 / result.seconds).toBeGreaterThan(200);
  });

  it.each([
    ['up', 'a'],
    ['down', 'b'],
  ])('lose what they are told to: %s', async (direction, name) => {
    const far = await lab.publicHost(`far-${name}`);
    const near = await lab.publicHost(`near-${name}`, { loss: 10 });
    const [a, b] = await Promise.all([UdpProbe.open(near), UdpProbe.open(far)]);
    const [from, to, address] = direction === 'up' ? [a, b, far.address] : [b, a, near.address];
    const lost = 1 - (await received(from, to, address, 30)) / (30 * ROUND);
    expect(lost).toBeGreaterThan(0.07); // five standard deviations of 0.55 %
    expect(lost).toBeLessThan(0.13);
  });

  it('lose nothing else', async () => {
    const far = await lab.publicHost('quiet-far');
    const near = await lab.publicHost('quiet-near', { delay: 2 });
    const [a, b] = await Promise.all([UdpProbe.open(near), UdpProbe.open(far)]);
    expect(await received(a, b, far.address, 10)).toBe(10 * ROUND);
  });
});

describeInLab('laboratories', () => {
  it('do not see one another', async () => {
    await using one = await createLab();
    await using two = await createLab();
    const [a, b] = await Promise.all([one.publicHost('same'), two.publicHost('same')]);
    const [inOne, inTwo] = await Promise.all([UdpProbe.open(a, 5000), UdpProbe.open(b, 5000)]);
    expect(a.address).toBe(b.address);
    await inOne.send(a.address, 5000, 'one');
    await inTwo.send(b.address, 5000, 'two');
    expect((await inOne.receive(/^/)).text).toBe('one');
    expect((await inTwo.receive(/^/)).text).toBe('two');
  });

  it('run programs with the input, environment and directory that they are given', async () => {
    await using lab = await createLab();
    const host = await lab.publicHost('host');
    const shell = host.spawn('sh', ['-c', 'echo $GREETING from $PWD; cat; echo complaint >&2; exit 3'], {
      env: { ...process.env, GREETING: 'hello' },
      cwd: '/usr',
    });
    shell.stdin.end('one\ntwo\n');
    expect((await shell.line(/^hello.*$/))[0]).toBe('hello from /usr');
    const rest: string[] = [];
    for await (const line of shell.lines) rest.push(line);
    expect(rest).toEqual(['one', 'two']);
    expect(await shell.wait()).toEqual({ code: 3, signal: null });
    expect(shell.stderr).toBe('complaint\n');
    await expect(shell.line(/more/)).rejects.toThrow('complaint');

    const raw = host.spawnRaw('head', ['-c', '5000000', '/dev/zero'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let bytes = 0;
    for await (const chunk of raw.stdout!) bytes += chunk.length;
    expect(bytes).toBe(5_000_000);

    expect(await host.run('cat', [], { input: 'echoed' })).toBe('echoed');
    await expect(host.run('sh', ['-c', 'echo no >&2; exit 1'])).rejects.toThrow('no');
  });

  it('take their processes with them, and leave nothing', async () => {
    const lab = await createLab();
    const host = await lab.publicHost('host', { delay: 1 });
    const shell = host.spawn('sh', ['-c', 'sleep 1000 & echo $!; wait']);
    const [grandchild] = await shell.line(/^\d+$/);
    expect(readdirSync('/run/netns')).toContain(host.name);
    await lab.close();
    expect(await shell.wait()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isRunning(Number(grandchild))).toBe(false);
    expect(readdirSync('/run/netns')).not.toContain(host.name);
  });

  it('of a process that was killed are swept away by the next one', async () => {
    const crashing = spawn(process.execPath, ['--import', 'tsx', CRASHING], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = await once(crashing.stdout.setEncoding('utf8'), 'data');
    const { name, pid } = JSON.parse(output) as { name: string; pid: number };
    crashing.kill('SIGKILL');
    await once(crashing, 'exit');
    expect(readdirSync('/run/netns')).toContain(name);
    await using _lab = await createLab();
    expect(readdirSync('/run/netns')).not.toContain(name);
    expect(isRunning(pid)).toBe(false);
  });
});

/** Datagrams at once, few enough for a socket's buffer however slow its reader is. */
const ROUND = 100;

/** How many of `rounds * ROUND` datagrams arrive. A round ends with one of 20 others; at 10 % loss one arrives in all but 1e-20. */
async function received(from: UdpProbe, to: UdpProbe, address: string, rounds: number): Promise<number> {
  let count = 0;
  for (let round = 1; round <= rounds; round++) {
    await from.send(address, to.port, `round ${round}`, ROUND);
    await from.send(address, to.port, `end ${round}`, 20);
    count += await to.countUntil(`end ${round}`, `round ${round}`);
  }
  return count;
}

const CRASHING = fileURLToPath(new URL('net/crashing-lab.ts', import.meta.url));

function siteName(title: string): string {
  return title.replaceAll(/[^a-zA-Z0-9]+/g, '-');
}

/** Whether the process has a program to run; a zombie has none. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}
