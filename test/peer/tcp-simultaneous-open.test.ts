import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import { defineFlow, interfaces, relay, tcpSimultaneousOpen } from '../../src/flows/index.ts';
import { startServer } from '../../src/server/index.ts';
import { numberedBytes, receiveAll, sendAll, streamBetween } from './transfer.ts';
import { connectedPair, createWorld, type InhabitantOptions, untilPath } from './world.ts';

const discover = [interfaces()] as const;
const punch = tcpSimultaneousOpen();
const flows = [
  { name: 'while the session runs over the relay', flow: defineFlow({ discover, punch, fallback: relay() }) },
  { name: 'before there is a session', flow: defineFlow({ discover, punch, policy: 'direct-only' }) },
];

describe('TCP simultaneous open on real sockets', () => {
  it.each(flows)('joins two peers of one machine, $name', async ({ flow }) => {
    await using world = createWorld();
    const server = await startServer({ port: 0, stunPort: 0 });
    const stun = server.stun.map(formatEndpoint);
    const options: InhabitantOptions = { flow, env: { network: nodeNetwork(), stun } };
    const { here, there } = await connectedPair(world, { listener: options, dialer: options });
    await Promise.all([untilPath(here, 'direct'), untilPath(there, 'direct')]);
    const [near, far] = [await firstValueFrom(here.path$), await firstValueFrom(there.path$)];
    expect(near).toMatchObject({ transport: 'tcp', strategy: 'tcp-simultaneous-open' });
    expect([near?.local, near?.remote]).toEqual([far?.remote, far?.local]);
    const bytes = numberedBytes(300_000);
    const [opened, accepted] = await streamBetween(here, there);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, bytes)]);
    expect(received.equals(bytes)).toBe(true);
    await here.close();
    const { outcome, attempts } = await here.verdict;
    expect(outcome).toBe('direct');
    expect(attempts.find(({ strategy }) => strategy === 'tcp-simultaneous-open')?.reason).toBe(`path ${near?.id}`);
    // The clients of STUN are gone by now: the strategy has closed what it opened.
    expect(server.counters().stunTcp).toMatchObject({ answered: 4, open: 0 });
    await server.close();
  });
});
