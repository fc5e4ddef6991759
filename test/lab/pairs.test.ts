import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type CommandEvent,
  listen,
  ofKind,
  type Rendezvous,
  runSallyport,
  runToEnd,
  sallyport,
  serve,
} from './commands.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';
import { makeCertificate } from './tls.ts';

describeInLab('two users of the command line, each behind a NAT', () => {
  let lab: Lab;
  let rendezvous: Rendezvous;
  let behind443: { readonly plain: Rendezvous; readonly secure: Rendezvous };
  let ca: string;
  let sites = 0;

  beforeAll(async () => {
    lab = await createLab();
    rendezvous = await serve(await lab.publicHost('server', { addresses: 2 }));
    const plain = await serve(await lab.publicHost('server-443'), { port: 443 });
    const host = await lab.publicHost('server-wss');
    const tls = await makeCertificate(host.address);
    ca = tls.cert;
    behind443 = { plain, secure: await serve(host, { port: 443, tls }) };
  });
  afterAll(() => lab.close());

  type Nat = keyof typeof NATS;
  interface Side {
    readonly nat?: Nat;
    readonly carrier?: Nat;
    readonly loss?: number;
    readonly delay?: number;
  }
  const hostOf = async ({ nat, carrier, ...line }: Side): Promise<Host> => {
    const name = `site${++sites}`;
    if (nat === undefined) return lab.publicHost(name, line);
    const site = await lab.site(name, { nat: NATS[nat], ...(carrier && { carrier: NATS[carrier] }), ...line });
    return site.hosts[0]!;
  };

  /** Pings until a pong came directly, then moves data both ways. */
  async function meet(a: Host, b: Host, server: string, env: NodeJS.ProcessEnv = {}) {
    const listener = await listen(b, server, ['--echo'], env);
    const ping = ['ping', listener.ticket, '--json', '--until-direct', '--interval', '100', '--count', '60'];
    const pings = await runToEnd(runSallyport(a, ping, env));
    const sent = randomBytes(256 * 1024);
    const received = await echo(a, listener.ticket, sent, env);
    expect(createHash('sha256').update(received).digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
    await listener.process.kill('SIGINT');
    return pings;
  }

  it.each<[string, Side, Side]>([
    ['EI/APD x EI/APD', { nat: 'EI/APD' }, { nat: 'EI/APD' }],
    ['EI/APD x EI/APD, random ports', { nat: 'EI/APD, random ports' }, { nat: 'EI/APD, random ports' }],
    ['EI/EI x APD/APD', { nat: 'EI/EI' }, { nat: 'APD/APD' }],
    ['APD/APD x EI/EI', { nat: 'APD/APD' }, { nat: 'EI/EI' }],
    ['EI/AD x APD/APD', { nat: 'EI/AD' }, { nat: 'APD/APD' }],
    ['APD/APD x EI/AD', { nat: 'APD/APD' }, { nat: 'EI/AD' }],
    ['carrier NATs on both sides', { nat: 'EI/APD', carrier: 'EI/APD' }, { nat: 'EI/APD', carrier: 'EI/EI' }],
    ['public x EI/APD', {}, { nat: 'EI/APD' }],
    ['EI/APD x public', { nat: 'EI/APD' }, {}],
    ['public x APD/APD', {}, { nat: 'APD/APD' }],
    ['APD/APD x public', { nat: 'APD/APD' }, {}],
    ['public x carrier NAT', {}, { nat: 'EI/APD', carrier: 'APD/APD' }],
    ['public x public', {}, {}],
    [
      'EI/APD x EI/APD with 10 % loss and 40 ms one way',
      { nat: 'EI/APD', loss: 10, delay: 40 },
      { nat: 'EI/APD', loss: 10, delay: 40 },
    ],
  ])('%s: direct', async (_, one, other) => {
    const { code, events } = await meet(await hostOf(one), await hostOf(other), rendezvous.url);
    expect(ofKind(events, 'pong').at(-1), print(events)).toMatchObject({ kind: 'direct', transport: 'udp' });
    expect(code).toBe(0);
    expect(ofKind(events, 'verdict').at(-1)).toMatchObject({ outcome: 'direct' });
  });

  it.each<[string, Side, Side]>([
    ['UDP dropped here, public there', { nat: 'drops UDP' }, {}],
    ['public here, UDP dropped there', {}, { nat: 'drops UDP' }],
    ['UDP dropped here, a NAT there', { nat: 'drops UDP' }, { nat: 'EI/EI' }],
    ['a NAT here, UDP dropped there', { nat: 'EI/EI' }, { nat: 'drops UDP' }],
  ])('%s: direct over TCP', async (_, one, other) => {
    const { code, events } = await meet(await hostOf(one), await hostOf(other), rendezvous.url);
    expect(ofKind(events, 'pong').at(-1), print(events)).toMatchObject({ kind: 'direct', transport: 'tcp' });
    expect(code).toBe(0);
    expect(ofKind(events, 'verdict').at(-1)).toMatchObject({ outcome: 'direct' });
  });

  it('same LAN: direct between host candidates, of IPv4 or link-local ones of IPv6', async () => {
    const { hosts } = await lab.site('home', { nat: NATS['EI/APD'], hosts: 2 });
    const { code, events } = await meet(hosts[0]!, hosts[1]!, rendezvous.url);
    expect(code, print(events)).toBe(0);
    const { kind, remote } = ofKind(events, 'path').at(-1)!;
    expect(kind).toBe('direct');
    expect(
      [hosts[1]!.address, '[fe80:'].some((start) => String(remote).startsWith(start)),
      String(remote),
    ).toBe(true);
  });

  it.concurrent.each<[string, Side, Side, (of: typeof behind443) => string]>([
    ['APD/APD x APD/APD', { nat: 'APD/APD' }, { nat: 'APD/APD' }, () => rendezvous.url],
    ['UDP dropped here', { nat: 'drops UDP' }, { nat: 'APD/APD' }, () => rendezvous.url],
    ['UDP dropped there', { nat: 'APD/APD' }, { nat: 'drops UDP' }, () => rendezvous.url],
    ['only TCP 443 out, ws', { nat: 'only TCP 443 out' }, { nat: 'EI/EI' }, ({ plain }) => plain.url],
    ['only TCP 443 out, wss', { nat: 'EI/EI' }, { nat: 'only TCP 443 out' }, ({ secure }) => secure.url],
  ])('%s: relayed, and never called direct', async (_, one, other, server) => {
    const env = { NODE_EXTRA_CA_CERTS: ca };
    const { code, events } = await meet(await hostOf(one), await hostOf(other), server(behind443), env);
    expect(code, print(events)).toBe(1);
    const pongs = ofKind(events, 'pong');
    expect(pongs).toHaveLength(60);
    expect(pongs.filter(({ kind }) => kind !== 'relayed')).toEqual([]);
    expect(ofKind(events, 'path').filter(({ kind }) => kind !== 'relayed')).toEqual([]);
    expect(ofKind(events, 'verdict').at(-1)).toMatchObject({ outcome: 'relayed' });
  });
});

/** Pipes bytes through `connect` to an echoing listener. */
async function echo(from: Host, ticket: string, bytes: Buffer, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const child = from.spawnRaw(...sallyport('connect', ticket), { env: { ...process.env, ...env } });
  const received: Buffer[] = [];
  let complaint = '';
  child.stdout!.on('data', (chunk: Buffer) => received.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => {
    complaint += chunk;
  });
  child.stdin!.end(bytes);
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code, complaint).toBe(0);
  return Buffer.concat(received);
}

/** What a failed expectation shows. */
function print(events: readonly CommandEvent[]): string {
  return events.map((event) => JSON.stringify(event)).join('\n');
}
