import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import type { LabProcess } from './net/lab-process.ts';
import { Miniupnpd } from './net/miniupnpd.ts';
import { NATS } from './net/nat.ts';
import { fetchTcp, serveTcp } from './net/probe/probes.ts';
import { describeInLab } from './net/requirements.ts';

describeInLab('the examples that map ports, at a gateway with miniupnpd', () => {
  let lab: Lab;
  let far: Host;
  let site: Site;
  let host: Host;
  let daemon: Miniupnpd;
  let folder: string;

  beforeAll(async () => {
    lab = await createLab();
    far = await lab.publicHost('far');
    site = await lab.site('home', { nat: NATS['EI/APD'] });
    host = site.hosts[0]!;
    daemon = await Miniupnpd.start(site.nat, { igd: 2, natPmp: true });
    folder = await mkdtemp(join(tmpdir(), 'sallyport-lab-'));
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
  });

  function run(on: Host, name: string, ...args: string[]): LabProcess {
    const program = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
    const env = { ...process.env, XDG_STATE_HOME: folder };
    return on.spawn(process.execPath, ['--import', 'tsx', program, ...args], { env });
  }

  it('map-port leads strangers to a port until Ctrl-C', async () => {
    await serveTcp(host, 1000, [8080]);
    const example = run(host, 'map-port', '8080', '9000');
    const [line] = await example.line(/^.* leads to .*$/);
    expect(line).toBe(`${site.publicAddress}:9000 leads to ${host.address}:8080`);
    expect(await fetchTcp(far, site.publicAddress, 9000)).toMatchObject({ bytes: 1000 });
    expect(await example.kill('SIGINT')).toEqual({ code: 0, signal: null });
    expect(await daemon.forwarded()).toEqual([]);
  });

  it('mapped-tcp-echo echoes what strangers send until Ctrl-C', async () => {
    const example = run(host, 'mapped-tcp-echo', '7007');
    const [line] = await example.line(/^connect to .*$/);
    expect(line).toContain(`${site.publicAddress}:7007`);
    const talk = `exec 3<>/dev/tcp/${site.publicAddress}/7007; echo hello >&3; head -1 <&3`;
    expect(await far.run('bash', ['-c', talk])).toBe('hello\n');
    await example.line(/^echoed 6 bytes$/);
    expect(await example.kill('SIGINT')).toEqual({ code: 0, signal: null });
    expect(await daemon.forwarded()).toEqual([]);
  });

  it.each(['map-port', 'mapped-tcp-echo'])('%s says so, and exits with 1, when no gateway answers', async (name) => {
    const { hosts } = await lab.site(`alone-${name}`, { nat: NATS['EI/APD'] });
    const example = run(hosts[0]!, name);
    await example.line(/^(no mapping|not reachable)/);
    expect(await example.wait()).toEqual({ code: 1, signal: null });
  });
});
