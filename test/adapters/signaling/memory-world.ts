import { memoryRendezvous } from '../../../src/adapters/signaling/memory.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Random } from '../../../src/core/random.ts';
import { VirtualClock } from '../../../src/sim/index.ts';
import type { SignalingWorld } from '../../../src/testing/compliance/index.ts';
import { seededRandom } from '../../seeded-random.ts';

interface MemoryWorldOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly latency?: number;
  readonly settle: SignalingWorld['settle'];
}

/** Two rendezvous servers in memory; by default in virtual time, 40 ms from their clients. */
export function memoryWorld(options: MemoryWorldOptions = inVirtualTime()): SignalingWorld {
  const { clock, settle } = options;
  const [here, elsewhere] = [memoryRendezvous(options), memoryRendezvous(options)];
  return {
    clock,
    settle,
    signaling: here.signaling,
    elsewhere: async () => elsewhere.signaling(),
    stop: async () => here.stop(),
    start: async () => here.start(),
    async close() {
      here.stop();
      elsewhere.stop();
    },
  };
}

function inVirtualTime(): MemoryWorldOptions {
  const clock = new VirtualClock();
  return { clock, random: seededRandom('memory'), latency: 40, settle: (promise) => clock.runUntil(promise) };
}
