import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve } from './commands.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab } from './net/lab.ts';
import type { LabProcess } from './net/lab-process.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

/** ms that a person takes to carry the reply: longer than a NAT keeps a mapping that nobody uses, which in the lab are 30 s. */
const CARRYING = 75_000;

const example = fileURLToPath(new URL('../../examples/manual.ts', import.meta.url));

describeInLab('two peers behind NATs that meet by copy and paste', () => {
  let lab: Lab;
  let stun: string;
  let sites = 0;

  beforeAll(async () => {
    lab = await createLab();
    const host = await lab.publicHost('server', { addresses: 2 });
    await serve(host);
    stun = `${host.address}:3478`;
  });
  afterAll(() => lab.close());

  const hostBehind = async (nat: keyof typeof NATS): Promise<Host> => {
    const site = await lab.site(`site${++sites}`, { nat: NATS[nat] });
    return site.hosts[0]!;
  };

  const run = (host: Host, role: 'listen' | 'dial'): LabProcess =>
    host.spawn(process.execPath, ['--import', 'tsx', example, role, stun], { env: process.env });

  /** What the dialer says at last. */
  async function meet(dialerNat: keyof typeof NATS, listenerNat: keyof typeof NATS): Promise<string[]> {
    await using listener = run(await hostBehind(listenerNat), 'listen');
    await using dialer = run(await hostBehind(dialerNat), 'dial');
    const [invitation] = await listener.line(/^spi1\S+$/);
    dialer.stdin.write(`${invitation}\n`);
    const [reply] = await dialer.line(/^spr1\S+$/);
    await setTimeout(CARRYING);
    listener.stdin.write(`${reply}\n`);
    return [(await dialer.line(/^echo/)).input, (await dialer.line(/^path/)).input];
  }

  it.concurrent.each<[keyof typeof NATS, keyof typeof NATS]>([
    ['EI/APD', 'EI/APD'],
    ['EI/APD, random ports', 'EI/APD, random ports'],
    ['APD/APD', 'EI/EI'],
    ['EI/EI', 'APD/APD'],
  ])('dialer %s x listener %s: direct', async (dialer, listener) => {
    expect(await meet(dialer, listener)).toEqual(['echo: hello', 'path: direct, udp']);
  });
});
