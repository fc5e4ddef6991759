import { afterAll, beforeAll, expect, it } from 'vitest';
import { type JsonCommand, type Rendezvous, serve, spawnJson } from './commands.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

/** Drops all UDP on its way through a gateway. */
const HOLD =
  'add table ip hold; add chain ip hold forward { type filter hook forward priority -10; }; add rule ip hold forward meta l4proto udp drop';

describeInLab('what is lost while two peers are connected', () => {
  let lab: Lab;
  let sites = 0;

  beforeAll(async () => {
    lab = await createLab();
  });
  afterAll(() => lab.close());

  /** A listener and an endless ping, each behind its own NAT. */
  async function pair(
    nat: keyof typeof NATS,
  ): Promise<{ a: Site; b: Site; rendezvous: Rendezvous; listener: JsonCommand; ping: JsonCommand }> {
    const n = ++sites;
    const [rendezvous, a, b] = await Promise.all([
      lab.publicHost(`server${n}`, { addresses: 2 }).then((host) => serve(host)),
      lab.site(`a${n}`, { nat: NATS[nat] }),
      lab.site(`b${n}`, { nat: NATS[nat] }),
    ]);
    const listener = spawnJson(b.hosts[0]!, ['listen', '--server', rendezvous.url, '--echo', '--json']);
    const { ticket } = await listener.until('ticket');
    const args = ['ping', String(ticket), '--json', '--interval', '50', '--count', '100000'];
    const ping = spawnJson(a.hosts[0]!, args);
    return { a, b, rendezvous, listener, ping };
  }

  const seq = ({ events }: JsonCommand): number =>
    Number(events.filter(({ event }) => event === 'pong').at(-1)?.seq ?? 0);
  const next = (ping: JsonCommand, kind: 'direct' | 'relayed', from = seq(ping)) =>
    ping.until('pong', (pong) => pong.kind === kind && Number(pong.seq) > from);

  it('the rendezvous server: a direct connection lives on, and binds again when it is back', async () => {
    const { rendezvous, ping, listener } = await pair('EI/APD');
    await next(ping, 'direct');
    await rendezvous.process.kill('SIGKILL');
    const stopped = seq(ping);
    await ping.until('pong', ({ seq, kind }) => Number(seq) > stopped + 60 && kind === 'direct');
    expect(ping.events.filter(({ event }) => event === 'error')).toEqual([]);
    ping.child.kill('SIGINT');
    await ping.ended;
    listener.child.kill('SIGINT');
    expect(await listener.ended).toBe(0);
  });

  it.each(['EI/APD', 'APD/APD'] as const)(
    'the listener, killed, %s: the other side says so within seconds',
    async (nat) => {
      const { ping, listener } = await pair(nat);
      await next(ping, nat === 'EI/APD' ? 'direct' : 'relayed');
      const killedAt = performance.now();
      listener.child.kill('SIGKILL');
      const error = await ping.until('error');
      const seconds = (performance.now() - killedAt) / 1000;
      console.info(`${nat}: the loss of the listener was told after ${seconds.toFixed(1)} s`);
      expect(error.code).toBe('ERR_PEER_GONE');
      expect(seconds).toBeLessThan(12);
      expect(await ping.ended).toBe(1);
      expect(ping.events.filter(({ event }) => event === 'verdict')).toHaveLength(1);
    },
  );

  it('the listener, ended with Ctrl-C: the other side learns it at once', async () => {
    const { ping, listener } = await pair('EI/APD');
    await next(ping, 'direct');
    listener.child.kill('SIGINT');
    expect(await listener.ended).toBe(0);
    expect((await ping.until('error')).code).toBe('ERR_CLOSED');
    expect(await ping.ended).toBe(1);
  });

  it('the direct path: the relay takes over, and the direct path comes back', async () => {
    const { a, ping, listener } = await pair('EI/APD');
    await next(ping, 'direct');
    await a.nat.run('nft', [HOLD]);
    const from = performance.now();
    await next(ping, 'relayed');
    console.info(`relay took over after ${((performance.now() - from) / 1000).toFixed(2)} s`);
    expect(performance.now() - from).toBeLessThan(3000);
    await a.nat.run('nft', ['delete table ip hold']);
    await next(ping, 'direct');
    ping.child.kill('SIGINT');
    listener.child.kill('SIGINT');
    await Promise.all([ping.ended, listener.ended]);
  });

  it('everything, for a while: the session recovers when the network is back', async () => {
    const { a, ping, listener } = await pair('EI/APD');
    await next(ping, 'direct');
    await a.nat.run('nft', [HOLD.replaceAll('hold', 'dark').replace('meta l4proto udp drop', 'drop')]);
    await ping.until('state', ({ value }) => JSON.stringify(value).includes('recovering'));
    await a.nat.run('nft', ['delete table ip dark']);
    const back = performance.now();
    await next(ping, 'direct');
    console.info(`direct again ${((performance.now() - back) / 1000).toFixed(1)} s after the network was back`);
    const seqs = ping.events.filter(({ event }) => event === 'pong').map(({ seq }) => seq);
    expect(seqs, 'one session: no pong lost or repeated').toEqual(seqs.map((_, i) => i + 1));
    ping.child.kill('SIGINT');
    listener.child.kill('SIGINT');
    await Promise.all([ping.ended, listener.ended]);
  });

  it('a NAT that reboots: found again at its new port', async () => {
    const { a, ping, listener } = await pair('EI/APD, random ports');
    await next(ping, 'direct');
    await a.nat.reboot();
    const from = performance.now();
    await next(ping, 'direct');
    console.info(`direct again ${((performance.now() - from) / 1000).toFixed(1)} s after the NAT forgot its mappings`);
    ping.child.kill('SIGINT');
    listener.child.kill('SIGINT');
    await Promise.all([ping.ended, listener.ended]);
  });
});
