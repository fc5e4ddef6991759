import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CommandEvent, listen, ofKind, type Rendezvous, runSallyport, runToEnd, serve } from './commands.ts';
import { createLab, type Lab } from './net/lab.ts';
import { NATS, type NatSpec } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

const DROPS_UDP = 'drops UDP';
const RANDOM: NatSpec = { ...NATS['EI/APD, random ports'], firewall: DROPS_UDP };
const DEPENDENT: NatSpec = { ...NATS['APD/APD'], firewall: DROPS_UDP };

interface Side {
  readonly nat: NatSpec;
  readonly carrier?: NatSpec;
  readonly loss?: number;
  readonly delay?: number;
}

describeInLab('two users of the command line, behind NATs that drop UDP', () => {
  let lab: Lab;
  let rendezvous: Rendezvous;
  let sites = 0;

  beforeAll(async () => {
    lab = await createLab();
    rendezvous = await serve(await lab.publicHost('server', { addresses: 2 }));
  });
  afterAll(() => lab.close());

  async function meet(
    one: Side,
    other: Side,
    count = 100,
  ): Promise<{ readonly code: number | null; readonly events: readonly CommandEvent[] }> {
    const [a, b] = [await lab.site(`site${++sites}`, one), await lab.site(`site${++sites}`, other)];
    const listener = await listen(b.hosts[0]!, rendezvous.url, ['--echo']);
    const options = ['--json', '--until-direct', '--interval', '100', '--count', String(count)];
    const pings = await runToEnd(runSallyport(a.hosts[0]!, ['ping', listener.ticket, ...options]));
    await listener.process.kill('SIGINT');
    return pings;
  }

  it.each<[string, Side, Side]>([
    ['on both sides', { nat: NATS[DROPS_UDP] }, { nat: NATS[DROPS_UDP] }],
    ['here', { nat: NATS[DROPS_UDP] }, { nat: NATS['EI/EI'] }],
    ['there', { nat: NATS['EI/EI'] }, { nat: NATS[DROPS_UDP] }],
    ['on both sides, and give out random ports', { nat: RANDOM }, { nat: RANDOM }],
    ['on both sides, behind a carrier', { nat: NATS[DROPS_UDP], carrier: NATS['EI/APD'] }, { nat: NATS[DROPS_UDP] }],
    [
      'on both sides, 80 ms and 5 % loss from the internet',
      { nat: NATS[DROPS_UDP], delay: 40, loss: 5 },
      { nat: NATS[DROPS_UDP], delay: 40, loss: 5 },
    ],
  ])('%s: direct, by TCP simultaneous open', async (_where, one, other) => {
    const { code, events } = await meet(one, other);
    expect(ofKind(events, 'pong').at(-1), print(events)).toMatchObject({ kind: 'direct', transport: 'tcp' });
    expect(ofKind(events, 'path').at(-1)).toMatchObject({ kind: 'direct', strategy: 'tcp-simultaneous-open' });
    expect(ofKind(events, 'verdict').at(-1)).toMatchObject({ outcome: 'direct' });
    expect(code).toBe(0);
  });

  it.each<[string, Side, Side]>([
    ['here', { nat: DEPENDENT }, { nat: NATS[DROPS_UDP] }],
    ['there', { nat: NATS[DROPS_UDP] }, { nat: DEPENDENT }],
  ])('%s with a mapping by destination: relayed', async (_where, one, other) => {
    const { code, events } = await meet(one, other, 40);
    expect(code, print(events)).toBe(1);
    expect(ofKind(events, 'path').filter(({ kind }) => kind !== 'relayed')).toEqual([]);
    expect(ofKind(events, 'verdict').at(-1)).toMatchObject({ outcome: 'relayed' });
  });
});

/** What a failed expectation shows. */
function print(events: readonly CommandEvent[]): string {
  return events.map((event) => JSON.stringify(event)).join('\n');
}
