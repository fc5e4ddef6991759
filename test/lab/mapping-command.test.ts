import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { type NotedMapping, readLeaseJournal } from '../../src/adapters/node/lease-journal.ts';
import { type JsonCommand, listen, ofKind, runSallyport, runToEnd, serve, spawnJson } from './commands.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import { Miniupnpd, type MiniupnpdOptions } from './net/miniupnpd.ts';
import { NATS } from './net/nat.ts';
import { fetchTcp, serveTcp } from './net/probe/probes.ts';
import { describeInLab } from './net/requirements.ts';
import { lossRules } from './net/uplink.ts';

const EVERYTHING: MiniupnpdOptions = { igd: 2, natPmp: true };
const VIAS = ['pcp', 'nat-pmp', 'upnp', 'nat-upnp'] as const;

describeInLab('sallyport map at a gateway with miniupnpd', () => {
  let lab: Lab;
  let far: Host;
  let folder: string;
  let homes = 0;

  beforeAll(async () => {
    lab = await createLab();
    far = await lab.publicHost('far');
    folder = await mkdtemp(join(tmpdir(), 'sallyport-lab-'));
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
  });

  async function home(options: MiniupnpdOptions = EVERYTHING): Promise<Home> {
    const name = `home${++homes}`;
    const site = await lab.site(name, { nat: NATS['EI/APD'], hosts: 2 });
    const daemon = await Miniupnpd.start(site.nat, options);
    onTestFailed(() => console.error(daemon.log));
    const env = { XDG_STATE_HOME: join(folder, name) };
    return { site, host: site.hosts[0]!, neighbour: site.hosts[1]!, daemon, env };
  }

  it('keeps a mapping by each protocol, by which strangers get in, until Ctrl-C', async () => {
    const { site, host, daemon, env } = await home();
    const ports = VIAS.map((_, i) => 8080 + i);
    await serveTcp(host, 1000, ports);
    const commands = VIAS.map((via, i) => {
      const [internal, external] = [String(ports[i]), String(9000 + i)];
      return runSallyport(host, ['map', internal, external, '--protocol', 'tcp', '--via', via], env);
    });
    for (const [i, via] of VIAS.entries()) {
      const route = `tcp ${site.publicAddress}:${9000 + i} to ${host.address}:${ports[i]}`;
      const by = `via ${via === 'upnp' ? 'upnp-igd' : via} gateway ${site.nat.lanAddress}`;
      const [, told] = await commands[i]!.line(/^mapped (.*) lifetime \d+$/);
      expect(told).toBe(`${route} ${by} reach internet`);
      expect(await fetchTcp(far, site.publicAddress, 9000 + i)).toMatchObject({ bytes: 1000 });
    }
    for (const [i, command] of commands.entries()) {
      const ending = command.kill('SIGINT');
      await command.line(new RegExp(`^released tcp ${site.publicAddress}:${9000 + i}$`));
      expect(await ending).toEqual({ code: 0, signal: null });
    }
    expect(await listedBy(host, daemon)).toEqual([]);
  });

  it.each<[string, readonly string[]]>([
    ['by the first protocol that answers', []],
    ['by UPnP', ['--via', 'upnp']],
    ['by nat-upnp', ['--via', 'nat-upnp']],
  ])('killed and started again it has the same external port, and leaves nothing in the end: %s', async (_, via) => {
    const { host, neighbour, daemon, env } = await home();
    await occupy(neighbour, daemon, 8080);
    const [first, external] = await mapped(host, ['8080', ...via], env);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await listedBy(host, daemon)).toHaveLength(2);
    const [second, again] = await mapped(host, ['8080', ...via], env);
    expect(again).toBe(external);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
    expect(await listedBy(host, daemon)).toEqual([`TCP 8080->${neighbour.address}:8080`]);
  });

  it('killed and started for another port it removes what it left', async () => {
    const { host, daemon, env } = await home();
    const [killed] = await mapped(host, ['8080'], env);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const [second] = await mapped(host, ['9090'], env);
    await expect.poll(() => daemon.forwarded(), POLL).toMatchObject([{ externalPort: 9090 }]);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(await listedBy(host, daemon)).toEqual([]);
  });

  it('listen, killed and started again, removes what it left, and its own in the end', async () => {
    const { host, daemon, env } = await home();
    const { url } = await serve(await lab.publicHost(`server${homes}`));
    const killed = await listen(host, url, ['--echo'], env);
    await expect.poll(() => noted(env), POLL).toHaveLength(2); // UDP and TCP
    const left = await daemon.forwarded();
    expect(left).toHaveLength(2);
    await killed.process.kill('SIGKILL');
    const second = await listen(host, url, ['--echo'], env);
    // What was left is noted and forwarded until the second has removed it: only its absence tells.
    const ports = left.map(({ port }) => port);
    const isLeft = ({ port }: { readonly port: number }): boolean => ports.includes(port);
    await expect.poll(async () => (await daemon.forwarded()).filter(isLeft), POLL).toEqual([]);
    await expect.poll(() => daemon.forwarded(), POLL).toHaveLength(2);
    await expect.poll(() => noted(env), POLL).toHaveLength(2);
    expect(await second.process.kill('SIGINT')).toMatchObject({ code: 0 });
    expect(await listedBy(host, daemon)).toEqual([]);
  });

  it('list tells whose each mapping is, and remove ends ours and no other', async () => {
    const { host, neighbour, daemon, env } = await home();
    await occupy(neighbour, daemon, 7000);
    const [killed] = await mapped(host, ['8080', '--via', 'upnp'], env);
    killed.child.kill('SIGKILL');
    await killed.ended;

    const list = await runToEnd(runSallyport(host, ['map', 'list', '--json'], env));
    expect(list.code).toBe(0);
    expect(ofKind(list.events, 'noted')).toMatchObject([{ protocol: 'tcp', running: false }]);
    const owners = ofKind(list.events, 'listed').map(({ externalPort, owner }) => `${externalPort} ${owner}`);
    expect(owners.toSorted()).toEqual(['7000 another-host', '8080 sallyport']);

    const remove = (port: number) =>
      runToEnd(runSallyport(host, ['map', 'remove', String(port), '--protocol', 'tcp', '--json'], env));
    const refused = await remove(7000);
    expect(refused.code).toBe(1);
    expect(ofKind(refused.events, 'error')).toMatchObject([{ code: 'ERR_MAPPING_REFUSED' }]);
    expect(await remove(8080)).toMatchObject({ code: 0 });
    expect(await listedBy(host, daemon)).toEqual([`TCP 7000->${neighbour.address}:7000`]);
  });

  it('fails for a port that is taken, if told so, and where there is no gateway, with what each protocol said', async () => {
    const { host, neighbour, daemon, env } = await home();
    await occupy(neighbour, daemon, 8080);
    const fail = ['map', '8080', '--protocol', 'tcp', '--json', '--fail-if-taken'];
    const taken = await runToEnd(runSallyport(host, fail, env));
    expect(taken.code).toBe(1);
    expect(ofKind(taken.events, 'error')).toMatchObject([{ code: 'ERR_MAPPING_CONFLICT' }]);
    await daemon.kill();
    const alone = await runToEnd(runSallyport(host, fail, env));
    expect(alone.code).toBe(1);
    const { attempts } = ofKind(alone.events, 'unavailable')[0]!;
    const each = ['pcp', 'nat-pmp', 'upnp-igd'].map((via) => ({ via, code: 'ERR_MAPPING_UNAVAILABLE' }));
    expect(attempts).toHaveLength(each.length);
    expect(attempts).toEqual(expect.arrayContaining(each.map((attempt) => expect.objectContaining(attempt))));
  });

  it('through a LAN that loses 10 % each way, maps and removes', async () => {
    const { site, host, daemon, env } = await home();
    await site.nat.run('nft', ['-f', '-'], { input: lossRules('lan', 10) });
    const commands = await Promise.all([8080, 8081, 8082, 8083].map((port) => mapped(host, [String(port)], env)));
    // Where two protocols were asked, the loser's withdrawal may take the mapping along, until it is renewed.
    await expect.poll(() => daemon.forwarded(), POLL).toHaveLength(4);
    for (const [command] of commands) command.child.kill('SIGINT');
    await Promise.all(commands.map(([command]) => command.ended));
    // All four requests of a removal, or their answers, are lost once in 800 times: then that is said.
    const left = commands.flatMap(([command]) => ofKind(command.events, 'left').map(({ external }) => external));
    expect(left.length).toBeLessThan(2);
    const table = (await daemon.forwarded()).map(({ externalPort }) => `${site.publicAddress}:${externalPort}`);
    expect(table.filter((external) => !left.includes(external))).toEqual([]);
  });

  it('tells that the gateway is gone, and maps again when it is back', async () => {
    const { host, daemon, env } = await home({ igd: 1 });
    const [command, external] = await mapped(host, ['8080', '--lifetime', '10'], env);
    await daemon.stop();
    await daemon.forget();
    await command.until('lost');
    await daemon.start();
    await command.until(
      'mapped',
      (event) => event !== ofKind(command.events, 'mapped')[0] && event.external === external,
    );
    expect(await daemon.forwarded()).toMatchObject([{ externalPort: 8080 }]);
    command.child.kill('SIGINT');
    expect(await command.ended).toBe(0);
    expect(await daemon.forwarded()).toEqual([]);
  });

  it('ends on Ctrl-C within seconds when the gateway is gone, and says what it left', async () => {
    const { host, daemon, env } = await home();
    const [command, external] = await mapped(host, ['8080'], env);
    await daemon.kill();
    command.child.kill('SIGINT');
    expect(await command.ended).toBe(1);
    expect(ofKind(command.events, 'left')).toMatchObject([{ external }]);
  });

  it('says what is wrong with its input, and asks nobody', async () => {
    const { host, daemon, env } = await home();
    const wrong = [['0'], ['65536'], ['8080', '--via', 'telepathy'], ['8080', '--protocol', 'sctp'], ['remove']];
    const ends = await Promise.all(wrong.map((args) => runSallyport(host, ['map', ...args], env).wait()));
    expect(ends.map(({ code }) => code)).toEqual(wrong.map(() => 2));
    expect(daemon.log).not.toContain('AddPortMapping');
  });
});

interface Home {
  readonly site: Site;
  readonly host: Host;
  readonly neighbour: Host;
  readonly daemon: Miniupnpd;
  /** Of commands, so that they have notes of their own. */
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport map .. --protocol tcp --json`, once there is a mapping, and its external endpoint. */
async function mapped(host: Host, args: readonly string[], env: NodeJS.ProcessEnv): Promise<[JsonCommand, unknown]> {
  const command = spawnJson(host, ['map', ...args, '--protocol', 'tcp', '--json'], env);
  const { external } = await command.until('mapped');
  return [command, external];
}

/** The neighbour maps a port, by a program that is not ours. */
async function occupy(neighbour: Host, { descriptionUrl }: Miniupnpd, port: number): Promise<void> {
  const mapping = [neighbour.address, String(port), String(port), 'TCP', '600'];
  await neighbour.run('upnpc', ['-u', descriptionUrl, '-e', 'a game', '-a', ...mapping]);
}

/** What commands have noted. */
function noted({ XDG_STATE_HOME = '' }: NodeJS.ProcessEnv): Promise<readonly NotedMapping[]> {
  return readLeaseJournal({ directory: join(XDG_STATE_HOME, 'sallyport', 'leases') });
}

const POLL = { interval: 20, timeout: 15_000 };

/** The gateway's table by the word of upnpc: `UDP 6000->192.168.1.2:5000`. */
async function listedBy(host: Host, { descriptionUrl }: Miniupnpd): Promise<readonly string[]> {
  const list = await host.run('upnpc', ['-u', descriptionUrl, '-l']);
  return [...list.matchAll(/^ *\d+ (UDP|TCP) +(\S+)/gm)].map(([, protocol, route]) => `${protocol} ${route}`);
}
