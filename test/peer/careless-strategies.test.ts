import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PathEnvironment, StrategyResult } from '../../src/core/strategy.ts';
import {
  checks,
  defineFlow,
  defineStrategy,
  evidence,
  type Flow,
  interfaces,
  race,
  relay,
  stun,
  when,
} from '../../src/flows/index.ts';
import { type DialOutcome, homes, runScenario } from '../../src/scenario/index.ts';
import { meeting } from './meeting.ts';

const discover = [interfaces(), stun()] as const;

function acting(act: (env: PathEnvironment) => Promise<StrategyResult<'direct'>>) {
  return defineStrategy({
    name: 'careless',
    gives: 'direct',
    bounds: { time: 10_000, packets: 10, sockets: 1 },
    run: ({ env }) => act(env),
  });
}

/** Both peers have this flow, without NATs: what came of the dial. Errors that nobody takes fail the test by themselves. */
async function dialWith(flow: Flow): Promise<DialOutcome> {
  const scenario = homes({ a: 'public', b: 'public', mapping: false, flow: 'flow' });
  const { dials, leftOver } = await runScenario(scenario, { flows: { flow } });
  expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  return dials[0]!;
}

const reasonOf = ({ dialer }: DialOutcome, name: string): string | undefined =>
  dialer!.verdict!.attempts.find(({ strategy }) => strategy === name)?.reason;

describe('a strategy without care', () => {
  it('wins nothing by the id of a path that there is not', async () => {
    const liar = acting(async () => ({ ok: true, path: 'nonsense' }));
    const outcome = await dialWith(
      defineFlow({ discover, punch: race([liar, meeting()], { stagger: 500 }), fallback: relay() }),
    );
    expect(outcome.path).toMatchObject({ kind: 'direct', strategy: 'meeting' });
    expect(reasonOf(outcome, 'careless')).toBe('it gave a path that does not stand: nonsense');
  });

  it('may look at when the keys are proven, and never come back to it', async () => {
    const looks = acting(async ({ authenticated }) => ({ ok: false, reason: `it looked at ${typeof authenticated}` }));
    const outcome = await dialWith(defineFlow({ discover, punch: race([looks, meeting()]), fallback: relay() }));
    expect(reasonOf(outcome, 'careless')).toBe('it looked at object');
  });

  it('begins no checks after its end', async () => {
    const late: unknown[] = [];
    const calling = acting(async (env) => {
      await new Promise<void>((resolve) => void env.clock.setTimeout(resolve, 3_000));
      for (const begin of [
        () => env.checks(),
        () => env.relay(),
        () => env.validate({ remote: { family: 4, address: '192.0.2.7', port: 9 } }),
      ]) {
        late.push(await begin().catch(({ code }: { code: string }) => code));
      }
      return { ok: false, reason: 'late' };
    });
    const outcome = await dialWith(
      defineFlow({ discover, punch: race([calling, meeting()], { stagger: 10 }), fallback: relay() }),
    );
    expect(outcome.path).toMatchObject({ strategy: 'meeting' });
    expect(late).toEqual(Array.from({ length: 6 }, () => 'ERR_ABORTED'));
  });

  it('may give a path whose closing throws: its sockets are closed all the same', async () => {
    const fragile = acting(async (env) => {
      const socket = await env.network.udp({ family: 4 });
      const info = { id: 'fragile', kind: 'direct', transport: 'udp', local: 'a', remote: 'b', strategy: 'x' } as const;
      const close = (): never => {
        throw new Error('no');
      };
      return { ok: true, path: env.adopt({ info, send: () => true, datagrams$: NEVER, close }, [socket]) };
    });
    const { dialer } = await dialWith(defineFlow({ discover, punch: fragile, fallback: relay() }));
    expect(dialer!.verdict!.attempts).toContainEqual(expect.objectContaining({ strategy: 'careless', ok: true }));
  });
});

describe('evidence that throws', () => {
  it('says no, and why; everything else goes on', async () => {
    const boom = evidence('boom', () => {
      throw new Error('bang');
    });
    const flow = defineFlow({ discover, punch: race([when(boom, meeting()), checks()]), fallback: relay() });
    const outcome = await dialWith(flow);
    expect(outcome.path).toMatchObject({ kind: 'direct', strategy: 'checks' });
    expect(reasonOf(outcome, 'meeting')).toBe('skipped: whether boom could not be told: bang');
  });
});

describe('a machine of strategies that breaks', () => {
  it('leaves the connection what else it has', async () => {
    const flow = defineFlow({
      discover,
      punch: when(
        evidence('always', () => true),
        checks(),
      ),
      fallback: relay(),
    });
    const guards = {
      always: () => {
        throw new Error('bang');
      },
    };
    const outcome = await dialWith(flow.with({ punch: flow.punch.provide({ guards } as never) }));
    expect(outcome.outcome).toBe('relayed');
    expect(reasonOf(outcome, 'punch')).toContain('bang');
  });
});
