import { setTimeout as sleep } from 'node:timers/promises';

/** Fulfils as soon as the condition holds, which nothing tells of; errors after `patience` ms. For helpers that also run without vitest. */
export async function eventually(condition: () => boolean | Promise<boolean>, patience = 5_000): Promise<void> {
  const giveUpAt = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`still not after ${patience} ms: ${condition}`);
    await sleep(LOOK_AGAIN);
  }
}

/** ms. */
const LOOK_AGAIN = 10;
