import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { type CommandEvent, type JsonCommand, listen, ofKind, type Rendezvous, serve, spawnJson } from './commands.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import type { LabProcess } from './net/lab-process.ts';
import { Miniupnpd, type MiniupnpdOptions } from './net/miniupnpd.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

const EVERYTHING: MiniupnpdOptions = { igd: 2, natPmp: true };

describeInLab('peers behind APD/APD NATs on both sides, by the command line', () => {
  let lab: Lab;
  let rendezvous: Rendezvous;
  let folder: string;
  let sites = 0;

  beforeAll(async () => {
    lab = await createLab();
    rendezvous = await serve(await lab.publicHost('server', { addresses: 2 }));
    folder = await mkdtemp(join(tmpdir(), 'sallyport-lab-'));
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
  });

  /** One side, with a gateway that maps if it is told how. */
  async function side(options?: MiniupnpdOptions): Promise<Side> {
    const name = `site${++sites}`;
    const site = await lab.site(name, { nat: NATS['APD/APD'] });
    const env = { XDG_STATE_HOME: join(folder, name) };
    const daemon = options && (await Miniupnpd.start(site.nat, options));
    onTestFailed(() => console.error(daemon?.log));
    return { site, host: site.hosts[0]!, env, daemon };
  }

  async function listenAt({ host, env }: Side): Promise<{ readonly process: LabProcess; readonly ticket: string }> {
    return listen(host, rendezvous.url, ['--echo'], env);
  }

  it.each<[string, MiniupnpdOptions | undefined, MiniupnpdOptions | undefined]>([
    ['the listener’s, by UPnP', undefined, { igd: 1 }],
    ['the listener’s, by PCP or NAT-PMP', undefined, { natPmp: true }],
    ['the dialer’s', EVERYTHING, undefined],
    ['both', EVERYTHING, EVERYTHING],
  ])('are directly connected by a mapping at a gateway: %s', async (_, near, far) => {
    const [dialer, listener] = await Promise.all([side(near), side(far)]);
    const { process: listening, ticket } = await listenAt(listener);
    const ping = pingUntilDirect(dialer, ticket);
    expect(await ping.ended, print(ping)).toBe(0);
    expect(ofKind(ping.events, 'pong').at(-1)).toMatchObject({ kind: 'direct', transport: 'udp' });
    expect(ofKind(ping.events, 'verdict')).toMatchObject([{ outcome: 'direct' }]);
    expect(await listening.kill('SIGINT')).toMatchObject({ code: 0 });
    for (const { daemon } of [dialer, listener]) expect((await daemon?.forwarded()) ?? []).toEqual([]);
  });

  it('go from relayed to direct when the dialer’s gateway answers late', async () => {
    const [dialer, listener] = await Promise.all([side(), side()]);
    const { ticket } = await listenAt(listener);
    const ping = pingUntilDirect(dialer, ticket);
    await ping.until('pong', isRelayed);
    await Miniupnpd.start(dialer.site.nat, EVERYTHING);
    expect(await ping.ended, print(ping)).toBe(0);
    expect(ofKind(ping.events, 'pong').at(-1)).toMatchObject({ kind: 'direct' });
  });

  it('go from relayed to direct when the listener’s gateway is switched on later', async () => {
    const [dialer, listener] = await Promise.all([side(), side()]);
    const { ticket } = await listenAt(listener);
    const ping = pingUntilDirect(dialer, ticket);
    await ping.until('pong', isRelayed);
    await Miniupnpd.start(listener.site.nat, { igd: 2 });
    expect(await ping.ended, print(ping)).toBe(0);
    expect(ofKind(ping.events, 'pong').at(-1)).toMatchObject({ kind: 'direct' });
  });

  it('stay directly connected while the gateway starts anew and has lost its mappings, and are mapped again', async () => {
    const [dialer, listener] = await Promise.all([side(), side(EVERYTHING)]);
    const { ticket } = await listenAt(listener);
    const ping = pingOn(dialer, ticket);
    const { seq } = await ping.until('pong', isDirect);
    await expect.poll(() => listener.daemon!.forwarded(), POLL).toHaveLength(2);
    const before = await listener.daemon!.forwarded();
    await ping.until('pong', after(seq, 30)); // old enough for its clients to tell that it has started anew
    await listener.daemon!.reboot();
    await expect.poll(() => listener.daemon!.forwarded(), POLL).toEqual(before);
    const { seq: mappedAgain } = ofKind(ping.events, 'pong').at(-1)!;
    await ping.until('pong', after(mappedAgain, 10));
    expect(pongsAfter(ping, seq).filter((pong) => !isDirect(pong))).toEqual([]);
    const other = pingUntilDirect(await side(), ticket);
    expect(await other.ended, print(other)).toBe(0);
    await end(ping);
  });

  it('are connected over the relay, then directly again, when the NAT forgets all with its gateway', async () => {
    const [dialer, listener] = await Promise.all([side(), side(EVERYTHING)]);
    const { ticket } = await listenAt(listener);
    const ping = pingOn(dialer, ticket);
    const { seq } = await ping.until('pong', isDirect);
    await ping.until('pong', after(seq, 30));
    const { seq: last } = ofKind(ping.events, 'pong').at(-1)!;
    await listener.daemon!.kill();
    await listener.daemon!.forget();
    await listener.site.nat.reboot();
    await ping.until('pong', (pong) => isRelayed(pong) && after(last, 1)(pong));
    const { seq: relayed } = ofKind(ping.events, 'pong').at(-1)!;
    await listener.daemon!.start();
    await ping.until('pong', (pong) => isDirect(pong) && after(relayed, 1)(pong));
    await end(ping);
  });

  it('are connected directly again when the mapped side has got another public address', async () => {
    const [dialer, listener] = await Promise.all([side(), side(EVERYTHING)]);
    const { ticket } = await listenAt(listener);
    const ping = pingOn(dialer, ticket);
    const { seq } = await ping.until('pong', isDirect);
    await ping.until('pong', after(seq, 30));
    const address = await lab.renumber(listener.site);
    await ping.until('path', ({ kind, remote }) => kind === 'direct' && String(remote).startsWith(`${address}:`));
    const { seq: moved } = ofKind(ping.events, 'pong').at(-1)!;
    await ping.until('pong', (pong) => isDirect(pong) && after(moved, 1)(pong));
    await end(ping);
  });
});

interface Side {
  readonly site: Site;
  readonly host: Host;
  readonly daemon: Miniupnpd | undefined;
  /** Of commands, so that they have notes of their own. */
  readonly env: NodeJS.ProcessEnv;
}

/** For a minute at most. */
function pingUntilDirect({ host, env }: Side, ticket: string): JsonCommand {
  return spawnJson(host, ['ping', ticket, '--json', '--until-direct', '--interval', '100', '--count', '600'], env);
}

/** Until it is ended. */
function pingOn({ host, env }: Side, ticket: string): JsonCommand {
  return spawnJson(host, ['ping', ticket, '--json', '--interval', '100', '--count', '100000'], env);
}

async function end(ping: JsonCommand): Promise<void> {
  ping.child.kill('SIGINT');
  await ping.ended;
}

const isDirect = ({ kind }: CommandEvent): boolean => kind === 'direct';
const isRelayed = ({ kind }: CommandEvent): boolean => kind === 'relayed';

/** Matches pongs that are so many after the one of this number. */
function after(seq: unknown, count: number): (pong: CommandEvent) => boolean {
  return (pong) => Number(pong.seq) >= Number(seq) + count;
}

function pongsAfter({ events }: JsonCommand, seq: unknown): readonly CommandEvent[] {
  return ofKind(events, 'pong').filter(after(seq, 1));
}

function print({ events }: JsonCommand): string {
  return events.map((event) => JSON.stringify(event)).join('\n');
}

const POLL = { interval: 50, timeout: 30_000 };
