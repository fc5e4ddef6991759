import { describe, expect, it } from 'vitest';
import { expectService } from './expect-service.ts';
import { attackPeer } from './peer-attack.ts';
import type { peerAttacks } from './peer-attacks.ts';

/**
 * Each attack runs in a process of its own, against a listening peer in another, which has had a direct connection to a third before; the
 * rendezvous server lets everything through. Memory is the listener's resident memory beyond what it had before.
 */
interface Case {
  readonly attack: keyof typeof peerAttacks;
  /** Most MiB that the listener may take more. */
  readonly memory: number;
  /** What attackers must be told, and what they must not. */
  readonly told: readonly string[];
  readonly never: readonly string[];
}

const cases: readonly Case[] = [
  { attack: 'offersWithoutSecret', memory: 80, told: ['standing'], never: ['envelope'] },
  { attack: 'offersWithSecret', memory: 120, told: ['standing', 'envelope', 'unreachable'], never: [] },
  { attack: 'endlessCandidates', memory: 120, told: ['standing', 'envelope'], never: [] },
  { attack: 'stunPackets', memory: 80, told: [], never: ['answered'] },
  { attack: 'quicPackets', memory: 80, told: [], never: ['answered'] },
];

describe.runIf(process.platform === 'linux')('a listener under', () => {
  it.each(cases)(
    '$attack keeps its memory and its connection',
    async ({ attack, memory, told, never }) => {
      const result = await attackPeer(attack, { quiet: 500, duration: 1_500, scale: 1, told });
      expect(result.usage.peak - result.usage.before).toBeLessThan(memory);
      expectService(result.quiet, result.loaded);
      expect(result.usage.stall).toBeLessThan(2_000);
      expect(Object.keys(result.told)).toEqual(expect.arrayContaining([...told]));
      expect(never.filter((what) => what in result.told)).toEqual([]);
    },
    60_000,
  );
});
