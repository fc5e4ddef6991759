import { describe, expect, test } from 'vitest';
import { checks, defaultFlow, defineFlow, defineStrategy, type Flow, sequence } from '../../src/index.ts';
import {
  createTraversalModel,
  EVENTS,
  type ModelEventType,
  ModelFailure,
  propertyTest,
  simulatorDriver,
} from '../../src/testing/index.ts';

/** What random sequences find wrong with a flow. */
async function findIn(flow: Flow, types: readonly ModelEventType[]): Promise<ModelFailure> {
  const driver = simulatorDriver({ a: 'linux', b: 'linux' });
  const events = EVENTS.filter(({ type }) => types.includes(type));
  const model = createTraversalModel(flow, driver, { events });
  const failure = await propertyTest({ model, runs: 60, seed: 1, longest: 5 }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ModelFailure);
  return failure as ModelFailure;
}

function typesOf({ run }: ModelFailure): readonly ModelEventType[] {
  return run.steps.map(({ event }) => event.type);
}

describe("a mistake in a flow of one's own is found", () => {
  test('a timer that a strategy forgets when it is not wanted any more', { timeout: 120_000 }, async () => {
    const forgetful = defineStrategy({
      name: 'forgetful',
      gives: 'direct',
      bounds: { time: 2_000, packets: 0, sockets: 0 },
      run: ({ env }) =>
        new Promise((resolve) => {
          const again = (): void => void env.clock.setTimeout(again, 500);
          again();
          env.signal.addEventListener('abort', () => resolve({ ok: false, reason: 'not wanted' }));
        }),
    });
    const flow = defineFlow({ ...defaultFlow.spec, punch: sequence([forgetful, checks()]) });
    const failure = await findIn(flow, ['dialed', 'time.passed', 'udp.blocked', 'roamed']);
    expect(failure.message).toContain('nothing left: left: ');
    expect(typesOf(failure)).toHaveLength(2);
    expect(typesOf(failure)).toContain('dialed');
  });

  test('a guard that was turned round', { timeout: 120_000 }, async () => {
    const machine = defaultFlow.machine.provide({ guards: { noPath: ({ context }) => context.paths.length > 0 } });
    const failure = await findIn(defaultFlow.with({ machine }), [
      'dialed',
      'time.passed',
      'udp.blocked',
      'server.lost',
    ]);
    expect(typesOf(failure)).toContain('dialed');
    expect(typesOf(failure).length).toBeLessThanOrEqual(3);
  });
});
