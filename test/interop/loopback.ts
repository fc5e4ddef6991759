import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import type { Environment } from '../../src/core/environment.ts';
import { nodeEnvironment } from '../../src/node.ts';
import type { IceRole } from '../../src/protocol/ice/index.ts';
import { createIceBridge, type IceBridge } from '../../src/testing/index.ts';

/** Real sockets and time, and 127.0.0.1 as the only address. */
export function loopbackEnvironment(): Environment {
  const env = nodeEnvironment({ loopback: true });
  const { network } = env;
  const interfaces = () => network.interfaces().filter(({ internal, family }) => internal && family === 4);
  return { ...env, network: { ...network, interfaces } };
}

/** A bridge that is closed with the test; `change` replaces parts of its world. */
export async function openBridge(role: IceRole, change: Partial<Environment> = {}): Promise<IceBridge> {
  const bridge = await createIceBridge({ env: { ...loopbackEnvironment(), ...change }, role });
  onTestFinished(() => bridge.close());
  return bridge;
}

/** Each is told what the other has to tell, as it comes. Returns how to end that. */
export function introduce(a: IceBridge, b: IceBridge): () => void {
  const told = [a.local$.subscribe((local) => b.feed(local)), b.local$.subscribe((local) => a.feed(local))];
  return () => {
    for (const subscription of told) subscription.unsubscribe();
  };
}

/** A clock whose time runs `times` as fast as the system's. */
export function fastClock({ clock } = loopbackEnvironment(), times = 20): Clock {
  return {
    now: () => clock.now() * times,
    wallTime: () => clock.wallTime(),
    setTimeout: (callback, delay) => clock.setTimeout(callback, delay / times),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  };
}

/** Chance that gives this tie-breaker: the only thing that 8 bytes are drawn for. */
export function tieBreaker(bytes: 'highest' | 'lowest'): Pick<Environment, 'random'> {
  const { random } = loopbackEnvironment();
  const fixed = new Uint8Array(8).fill(bytes === 'highest' ? 0xff : 0);
  return { random: { bytes: (length) => (length === 8 ? fixed : random.bytes(length)) } };
}
