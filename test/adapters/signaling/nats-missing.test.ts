import { filter, firstValueFrom } from 'rxjs';
import { expect, it, vi } from 'vitest';
import { natsSignaling } from '../../../src/adapters/signaling/nats.ts';
import { manualClock } from '../../manual-clock.ts';
import { seededRandom } from '../../seeded-random.ts';

vi.mock('@nats-io/transport-node', () => {
  throw new Error("Cannot find package '@nats-io/transport-node'");
});

it('says which package is missing, and does not look for it again', async () => {
  const clock = manualClock();
  const signaling = natsSignaling({ url: 'nats://127.0.0.1:4222', clock, random: seededRandom('nats') });
  const status = await firstValueFrom(signaling.status$.pipe(filter(({ state }) => state === 'offline')));
  expect(status).toMatchObject({ code: 'ERR_NOT_AVAILABLE', retryIn: undefined });
  expect(status).toHaveProperty('reason', expect.stringContaining('npm install @nats-io/transport-node'));
  signaling.close();
  expect(clock.pending).toBe(0);
});
