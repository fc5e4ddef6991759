import { expect } from 'vitest';
import { activeActors } from './actors.ts';
import { registeredRoutes } from './routes.ts';
import type { Party, Scene } from './scene.ts';

/** Closes the peers and makes sure that neither they nor the server hold anything more; no other peer may be open. */
export async function expectNothingLeft(scene: Scene, ...parties: readonly Party[]): Promise<void> {
  for (const { peer, held } of parties) {
    await peer.close();
    await expect.poll(held).toEqual([]);
  }
  await expect.poll(() => scene.server.counters()).toMatchObject({ clients: 0, sessions: 0 });
  expect(activeActors()).toEqual([]);
  expect(registeredRoutes()).toBe(0);
}
