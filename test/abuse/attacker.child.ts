/** Attacks a server or a peer from a process of its own. */
import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Attack, Target } from './operation.ts';
import { type PeerTarget, peerAttacks } from './peer-attacks.ts';
import { offer } from './process.ts';
import { serverAttacks } from './server-attacks.ts';
import type { Told } from './told.ts';

/** What an attack did, and what those who did it were told. */
export interface AttackReport {
  readonly load: string;
  readonly told: Told;
}

export interface AttackOptions {
  readonly scale: number;
  /** ms, once the load is there; longer until all of `told` has been told. */
  readonly duration: number;
  readonly told: readonly string[];
}

async function run<At extends Target>(attack: Attack<At>, target: At, options: AttackOptions): Promise<AttackReport> {
  const told: Told = {};
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const load = await attack({
    target,
    told,
    scale: options.scale,
    signal: controller.signal,
    async hold() {
      await setTimeout(options.duration);
      while (options.told.some((what) => told[what] === undefined)) await setTimeout(20);
      controller.abort();
    },
  });
  return { load, told };
}

const api = {
  attackServer: (name: keyof typeof serverAttacks, target: Target, options: AttackOptions) =>
    run(serverAttacks[name], target, options),
  attackPeer: (name: keyof typeof peerAttacks, target: PeerTarget, options: AttackOptions) =>
    run(peerAttacks[name], target, options),
};

export type AttackerApi = typeof api;
offer(api);
