import { expect, it, vi } from 'vitest';
import { codeOf } from '../peer/world.ts';
import { expectNothingLeft } from './nothing-left.ts';
import { setScene } from './scene.ts';
import { type Side, type Standing, standingStages } from './standing.ts';

vi.mock('xstate', async (original) => {
  const { rememberActors } = await import('./actors.ts');
  return rememberActors(await original<typeof import('xstate')>());
});
vi.mock('../../src/streams/packet-router.ts', async (original) => {
  const { countRoutes } = await import('./routes.ts');
  return countRoutes(await original<typeof import('../../src/streams/packet-router.ts')>());
});

/** A way to end an established connection. */
interface Mean {
  readonly name: string;
  readonly sides: readonly Side[];
  /** It does the same as another one, in other words. */
  readonly alike?: true;
  readonly endsPeer?: true;
  end(standing: Standing, abort: () => void): unknown;
}

const BOTH: readonly Side[] = ['dialer', 'listener'];

const means: readonly Mean[] = [
  { name: 'its signal', sides: ['dialer'], end: (_, abort) => abort() },
  { name: 'close()', sides: BOTH, end: ({ own }) => own.connection.close() },
  {
    name: 'the end of its scope',
    sides: ['dialer'],
    alike: true,
    async end({ own }) {
      await using _ = own.connection;
    },
  },
  { name: 'close() of its peer', sides: BOTH, endsPeer: true, end: ({ own }) => own.party.peer.close() },
  {
    name: 'the end of its peer’s scope',
    sides: ['listener'],
    alike: true,
    endsPeer: true,
    async end({ own }) {
      await using _ = own.party.peer;
    },
  },
];

/** ms that an end may take: the other side answers at once, or is waited for. */
const PROMPT = 500;
const LINGER = 1_000;

/** What takes long is done in each way only once, by turns from either side. */
const cells = standingStages.flatMap((stage) =>
  means
    .filter(({ alike }) => !(stage.slow && alike))
    .flatMap((mean, i) => {
      const sides = stage.slow && mean.sides === BOTH ? BOTH.slice(i % 2, (i % 2) + 1) : mean.sides;
      return sides.map((side) => [stage.name, mean.name, side, stage, mean] as const);
    }),
);

it.each(cells)('%s: ended by %s (%s), nothing remains', async (_stage, _mean, side, stage, mean) => {
  await using scene = await setScene();
  const controller = new AbortController();
  const standing = await stage.reach(scene, { signal: controller.signal }, side);
  const { own, other, before, pending } = standing;
  const begunAt = performance.now();
  const otherEnd = stage.alone && other.party.peer.close();
  await mean.end(standing, () => controller.abort());
  await own.connection.close();
  expect(performance.now() - begunAt).toBeLessThan(PROMPT + (stage.alone ? LINGER : 0));
  expect((await own.connection.verdict).code).toBeUndefined();
  for (const promise of pending) expect(await codeOf(promise)).toBe('ERR_CLOSED');
  if (!mean.endsPeer) await expect.poll(own.party.held, PATIENT).toEqual(before[side]);
  if (!stage.alone) {
    expect((await other.connection.verdict).code).toBeUndefined();
    await expect.poll(other.party.held, PATIENT).toEqual(before[side === 'dialer' ? 'listener' : 'dialer']);
  }
  await otherEnd;
  await expectNothingLeft(scene, own.party, other.party);
});

const PATIENT = { timeout: 5_000 };
