import { expect, it, vi } from 'vitest';
import { codeOf } from '../peer/world.ts';
import type { Situation } from './attempts.ts';
import { attemptStages } from './attempts.ts';
import { expectNothingLeft } from './nothing-left.ts';
import { setScene } from './scene.ts';

vi.mock('xstate', async (original) => {
  const { rememberActors } = await import('./actors.ts');
  return rememberActors(await original<typeof import('xstate')>());
});
vi.mock('../../src/streams/packet-router.ts', async (original) => {
  const { countRoutes } = await import('./routes.ts');
  return countRoutes(await original<typeof import('../../src/streams/packet-router.ts')>());
});

/** A way to end a connection that is not established yet, as its dialer. */
interface Mean {
  readonly name: string;
  readonly code: string;
  /** ms, of the option; the signal always is the mean's. */
  readonly timeout?: number;
  /** It does the same as another one, in other words. */
  readonly alike?: true;
  end(situation: Situation, abort: () => void): unknown;
}

const means: readonly Mean[] = [
  { name: 'its signal', code: 'ERR_ABORTED', end: (_, abort) => abort() },
  { name: 'its timeout', code: 'ERR_TIMEOUT', timeout: 700, end: () => {} },
  { name: 'close()', code: 'ERR_CLOSED', end: ({ here }) => here.close() },
  {
    name: 'the end of its scope',
    code: 'ERR_CLOSED',
    alike: true,
    async end({ here }) {
      await using _ = here;
    },
  },
  { name: 'close() of its peer', code: 'ERR_CLOSED', end: ({ dialer }) => dialer.peer.close() },
  {
    name: 'the end of its peer’s scope',
    code: 'ERR_CLOSED',
    alike: true,
    async end({ dialer }) {
      await using _ = dialer.peer;
    },
  },
];

/** ms that an end may take: nobody is there to be told. */
const PROMPT = 500;

const cells = attemptStages.flatMap((stage) =>
  means.filter(({ alike }) => !(stage.slow && alike)).map((mean) => [stage.name, mean.name, stage, mean] as const),
);

it.each(cells)('%s: ended by %s, nothing remains', async (_stage, _mean, stage, mean) => {
  await using scene = await setScene();
  const controller = new AbortController();
  const { signal } = controller;
  const { timeout } = mean;
  const situation = await stage.reach(scene, { signal, ...(timeout !== undefined && { timeout }) });
  const { dialer, listener, here, before } = situation;
  const begunAt = performance.now();
  await mean.end(situation, () => controller.abort());
  expect(await codeOf(here.ready)).toBe(mean.code);
  expect(await here.verdict).toMatchObject({ outcome: 'failed', code: mean.code });
  await here.close();
  expect(performance.now() - begunAt).toBeLessThan(PROMPT + (timeout ?? 0));
  if (!mean.name.includes('peer')) await expect.poll(dialer.held).toEqual(before.dialer);
  await expect.poll(listener.held, { timeout: 10_000 }).toEqual(before.listener);
  await expectNothingLeft(scene, dialer, listener);
});

it.each(attemptStages.filter(({ met }) => met).map((stage) => [stage.name, stage] as const))(
  '%s: ended by close() of the listener’s peer, nothing remains',
  async (_stage, stage) => {
    await using scene = await setScene();
    const { dialer, listener, here } = await stage.reach(scene, {});
    const begunAt = performance.now();
    await listener.peer.close();
    expect(performance.now() - begunAt).toBeLessThan(PROMPT);
    await here.close();
    expect((await here.verdict).outcome).toBe('failed');
    await expectNothingLeft(scene, dialer, listener);
  },
);
