import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import { pause } from '../../src/core/pause.ts';
import type { Json } from '../../src/core/strategy.ts';
import type { Attempt } from '../../src/core/verdict.ts';
import { defineFlow, defineStrategy, type Flow, interfaces, relay, stun } from '../../src/flows/index.ts';
import { CHECK_BUDGET } from '../../src/protocol/ice/check-budget.ts';
import { addressOf } from '../sim/datagrams.ts';
import { type SimulatedVictims, simulatedVictims } from './simulated-victims.ts';

const SIMULTANEOUS_OPEN = 'tcp-simultaneous-open';

/** A dialer that proposes simultaneous open and names others' addresses, those of the next row when a run with the last is over. */
function proposing(rows: readonly (readonly string[])[], claimed: readonly string[] = []): Flow {
  const lie = defineStrategy({
    name: SIMULTANEOUS_OPEN,
    gives: 'direct',
    bounds: { time: 600_000, packets: 0, sockets: 0 },
    twoSided: { version: 1, vouched: false },
    async run({ env }) {
      await env.authenticated;
      for (const at of rows) {
        await env.agree({ at } as Json);
        await pause(env.clock, 12_000, env.signal);
      }
      return { ok: false, reason: 'it was a lie' };
    },
  });
  const claim = defineStrategy({
    name: 'claim',
    gives: 'candidates',
    bounds: { time: 1_000, packets: 0, sockets: 0 },
    async run({ env }) {
      for (const address of claimed) env.announce(endpoint(address, 5_000), 'srflx');
      return { ok: true };
    },
  });
  return defineFlow({ discover: [claim, interfaces(), stun()], punch: lie, fallback: relay() });
}

/** What the listener's runs came to, one for each row; more rounds of the same may follow. */
async function runsOf(victims: SimulatedVictims, dialer: Flow, rows: number): Promise<readonly Attempt[]> {
  let runs: readonly Attempt[] = [];
  await victims.meet({ dialer }, async ({ here, there }) => {
    await pause(victims.world.clock, 20_000 + 13_000 * rows);
    await Promise.all([here.close(), there.close()]);
    const { attempts } = await there.verdict;
    runs = attempts.filter(({ strategy }) => strategy === SIMULTANEOUS_OPEN).slice(0, rows);
  });
  return runs;
}

describe('who proposes a simultaneous open', () => {
  it('has no host dialled in the network of its peer, told as a candidate or not', async () => {
    const victims = simulatedVictims();
    const printer = victims.homes.listener.host('printer');
    let calls = 0;
    printer.tcp.listen({ port: 8080 }, () => calls++);
    const at = [8080, 8081, 8082, 8083].map((port) => `${addressOf(printer)}:${port}`);
    const syns = victims.syns();
    const runs = await runsOf(victims, proposing([at, at], [addressOf(printer)]), 2);
    expect(runs.map(({ reason }) => reason)).toEqual(
      Array(2).fill('the other side named no address that may be dialled'),
    );
    expect(syns.filter(({ address }) => address === addressOf(printer))).toEqual([]);
    expect(calls).toBe(0);
  });

  it('cannot tell by its peer what is at an address: a run in vain takes as long', async () => {
    const lasted: number[] = [];
    let calls = 0;
    for (const place of ['open', 'shut', 'silent']) {
      const victims = simulatedVictims();
      const host = victims.world.host('bystander');
      if (place === 'open') host.tcp.listen({ port: 8080 }, () => calls++);
      const address = place === 'silent' ? '192.0.2.200' : addressOf(host);
      const [run] = await runsOf(victims, proposing([[`${address}:8080`]]), 1);
      expect(run).toMatchObject({ ok: false, sent: expect.any(Number) });
      lasted.push(Math.round(run!.endedAt - run!.startedAt));
    }
    expect(calls).toBeGreaterThan(0);
    expect(lasted).toEqual(Array(3).fill(lasted[0]));
  });

  it('aims no more SYNs at an endpoint than checks, by all connections of a ticket', async () => {
    const victims = simulatedVictims();
    const target = '192.0.2.200:5000';
    const syns = victims.syns();
    await victims.meet({ dialer: proposing([[target]]), connections: 6 }, () => pause(victims.world.clock, 10_000));
    const aimed = syns.filter((to) => formatEndpoint(to) === target).length;
    // Each run would send ten.
    expect(aimed).toBeGreaterThan(10);
    expect(aimed).toBeLessThanOrEqual(CHECK_BUDGET.endpoint / 2);
  });
});
