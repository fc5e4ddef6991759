import { NEVER } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { Path } from '../../src/core/path.ts';
import { pause } from '../../src/core/pause.ts';
import type { StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import { checks, defaultFlow, defineFlow, defineStrategy, interfaces, race, relay } from '../../src/flows/index.ts';
import { lintFlow } from '../../src/testing/lint/lint-flow.ts';

type Run = (input: StrategyInput<'direct'>) => Promise<StrategyResult<'direct'>>;

const told = async (run: Run): Promise<readonly string[]> => {
  const mine = defineStrategy({ name: 'mine', gives: 'direct', bounds: { time: 5_000, packets: 10, sockets: 3 }, run });
  const flow = defineFlow({ discover: interfaces(), punch: race([checks(), mine]), fallback: relay() });
  return (await lintFlow(flow)).map(({ rule, where, message }) => `${rule} ${where}: ${message}`);
};
const remote = endpoint('198.51.100.7', 4_000);
const pathOf = (id: string): Path => ({
  info: { id, kind: 'direct', transport: 'udp', local: '', remote: '', strategy: 'mine' },
  send: () => true,
  datagrams$: NEVER,
  close: () => {},
});

describe('lintFlow', () => {
  test('has nothing to say of the default flow', async () => {
    expect(await lintFlow(defaultFlow)).toEqual([]);
  });

  test('has nothing to say of a strategy that closes what it opened, on every exit', async () => {
    const run: Run = async ({ env }) => {
      const socket = await env.network.udp({ family: 4 });
      try {
        return { ok: true, path: await env.validate({ socket, remote }) };
      } catch (error) {
        socket.close();
        throw error;
      }
    };
    expect(await told(run)).toEqual([]);
  });

  test('finds sockets that are left open when nobody answers', async () => {
    const run: Run = async ({ env }) => {
      const socket = await env.network.udp({ family: 4 });
      return { ok: true, path: await env.validate({ socket, remote }) };
    };
    expect(await told(run)).toEqual([
      'sockets-kept punch.race.mine.mine: mine left 1 of its sockets open (as dialer, at its end, where nobody answers)',
    ]);
  });

  test('finds sockets that are left open only when it is stopped half way', async () => {
    const run: Run = async ({ env }) => {
      await env.network.listen({ port: 0 });
      const one = await env.network.udp({ family: 4 });
      const two = await env.network.udp({ family: 4 });
      one.close();
      await pause(env.clock, 500, env.signal);
      two.close();
      throw new TraversalError('ERR_PUNCH_EXHAUSTED', 'nothing');
    };
    const [finding] = await told(run);
    expect(finding).toContain('mine left 1 of its sockets open (as dialer, at its end');
    const noListener: Run = async ({ env }) => {
      const socket = await env.network.udp({ family: 4 });
      await pause(env.clock, 500, env.signal);
      socket.close();
      return { ok: false, reason: 'nothing' };
    };
    expect(await told(noListener)).toEqual([
      'sockets-kept punch.race.mine.mine: mine left 1 of its sockets open (as dialer, stopped at once, where nobody answers)',
    ]);
  });

  test('finds more paths than one, and those that come too late', async () => {
    expect(await told(async ({ env }) => ({ ok: true, path: env.adopt(pathOf(env.adopt(pathOf('a')))) }))).toEqual([
      'two-winners punch.race.mine.mine: mine made 2 paths, where one is wanted (as dialer, at its end, where nobody answers)',
    ]);
    const late: Run = async ({ env }) => {
      await pause(env.clock, 100);
      return { ok: true, path: env.adopt(pathOf('a')) };
    };
    expect(await told(late)).toEqual([
      'two-winners punch.race.mine.mine: mine made a path when another strategy may have won (as dialer, stopped at once, where nobody answers)',
    ]);
  });
});
