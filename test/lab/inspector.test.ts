import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ViewerFrame } from '../../src/inspector/wire.ts';
import type { TraceRecord } from '../../src/trace/index.ts';
import { type JsonCommand, runSallyport, serve, spawnJson } from './commands.ts';
import { createLab, type Lab } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

/** A fifth of all UDP is lost on its way through a gateway. */
const LOSSY =
  'add table ip lossy; add chain ip lossy forward { type filter hook forward priority -10; }; add rule ip lossy forward meta l4proto udp numgen random mod 5 0 drop';
const viewer = fileURLToPath(new URL('net/probe/viewer.ts', import.meta.url));

describeInLab('a peer behind a NAT and a link that loses packets, watched', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await createLab();
  });
  afterAll(() => lab.close());

  const lastSeq = ({ events }: JsonCommand): number =>
    Number(events.filter(({ event }) => event === 'pong').at(-1)?.seq ?? 0);

  it('shows how it comes to a direct path, and goes on when the inspector is killed', async () => {
    const [rendezvous, a, b] = await Promise.all([
      lab.publicHost('server', { addresses: 2 }).then((host) => serve(host)),
      lab.site('a', { nat: NATS['EI/APD'] }),
      lab.site('b', { nat: NATS['EI/APD'] }),
    ]);
    await a.nat.run('nft', [LOSSY]);
    const [host] = a.hosts;
    const hub = runSallyport(host!, ['inspect', '--port', '0', '--json']);
    const [line] = await hub.line(/.*"event":"inspector".*/);
    const { url, programs } = JSON.parse(line) as { readonly url: string; readonly programs: string };
    const page = host!.spawn(process.execPath, ['--import', 'tsx', viewer, url]);

    const listener = spawnJson(b.hosts[0]!, ['listen', '--server', rendezvous.url, '--echo', '--json']);
    const { ticket } = await listener.until('ticket');
    const ping = spawnJson(host!, [
      'ping',
      String(ticket),
      ...['--json', '--interval', '50', '--count', '100000', '--inspect', programs],
    ]);
    await ping.until('pong', ({ kind }) => kind === 'direct');

    const records: TraceRecord[] = [];
    for await (const frame of page.lines) {
      const read = JSON.parse(frame) as ViewerFrame;
      if (read.type === 'lines') records.push(...read.lines.map((text) => JSON.parse(text) as TraceRecord));
      if (isDirect(records) && records.some(hasNominated)) break;
    }
    const kinds = records.flatMap((record) => (record.what === 'path' ? [record.path?.kind] : []));
    expect(kinds[0]).toBe('relayed');
    expect([isDirect(records), records.some(hasNominated)]).toEqual([true, true]);
    const carried = records.flatMap((record) => (record.what === 'packet' ? [record.carries] : []));
    expect(carried).toContain('STUN Binding request');

    await hub.kill('SIGKILL');
    const killedAt = lastSeq(ping);
    await ping.until('pong', ({ seq }) => Number(seq) > killedAt + 40);
    expect(ping.events.filter(({ event }) => event === 'error')).toEqual([]);
    ping.child.kill('SIGINT');
    expect(await ping.ended).toBe(130);
    listener.child.kill('SIGINT');
    expect(await listener.ended).toBe(0);
  });
});

function isDirect(records: readonly TraceRecord[]): boolean {
  return records.some((record) => record.what === 'path' && record.path?.kind === 'direct');
}

function hasNominated(record: TraceRecord): boolean {
  return record.what === 'pairs' && record.pairs.some(({ nominated }) => nominated);
}
