import { describe, expect, it } from 'vitest';
import type { ServerLimits } from '../../src/protocol/rendezvous/index.ts';
import type { ServerCounters } from '../../src/server/index.ts';
import { expectService } from './expect-service.ts';
import { attackServer } from './server-attack.ts';
import type { serverAttacks } from './server-attacks.ts';

/**
 * Each attack runs in a process of its own, against a server in another, while clients in a third ping each other over the relay
 * and dial anew.
 * Memory is the server's resident memory beyond what it had before. Addresses are of 127/8, which Linux alone has whole.
 */
interface Case {
  readonly attack: keyof typeof serverAttacks;
  readonly scale?: number;
  readonly limits?: Partial<ServerLimits>;
  /** Most MiB that the server may take more. */
  readonly memory: number;
  /** What offenders must be told. */
  readonly told: readonly string[];
  /** What bystanders who dial may be told. */
  readonly refused?: readonly string[];
  /** Counters of which each must have counted. */
  readonly counted: (counters: ServerCounters) => readonly number[];
}

const REFUSED = '1008 too many frames that were refused';
const NO_DATAGRAMS = '1008 too many binary frames that are no datagrams';

const cases: readonly Case[] = [
  {
    attack: 'halfOpen',
    memory: 160,
    told: ['HTTP 503', 'HTTP 429'],
    counted: ({ rejected }) => [rejected['half-open'], rejected['source-half-open']],
  },
  {
    attack: 'idleWebSockets',
    scale: 0.1,
    limits: { clients: 500, clientsPerSource: 100 },
    memory: 80,
    told: ['1013 this server is full', '1013 too many clients of your address'],
    refused: ['closed with 1013: this server is full'],
    counted: ({ refused }) => [refused.full, refused['source-full']],
  },
  {
    attack: 'slowReaders',
    scale: 0.2,
    limits: { queuedBytes: 2 ** 20, drops: { rate: 100, burst: 500 } },
    memory: 120,
    told: ['1008 too many datagrams that cannot be relayed'],
    counted: ({ slowDatagrams, slowClients }) => [slowDatagrams, slowClients],
  },
  {
    attack: 'giantFrames',
    memory: 60,
    told: ['1009', NO_DATAGRAMS],
    counted: ({ offences, cutOff }) => [offences.frames, cutOff],
  },
  {
    attack: 'emptyFrames',
    memory: 50,
    told: [REFUSED, NO_DATAGRAMS],
    counted: ({ malformed, dropped }) => [malformed, dropped.malformed],
  },
  {
    attack: 'pings',
    memory: 50,
    told: ['1008 too many pings'],
    counted: ({ offences }) => [offences.pings],
  },
  {
    attack: 'offers',
    memory: 60,
    told: [REFUSED],
    counted: ({ refused, cutOff }) => [refused['listener-busy'], cutOff],
  },
  {
    attack: 'churn',
    limits: { connectionsPerSource: { rate: 10, burst: 20 } },
    memory: 50,
    told: ['Unexpected server response: 429'],
    counted: ({ rejected }) => [rejected['source-rate']],
  },
  {
    attack: 'thousandKeys',
    memory: 50,
    told: ['ERR_BUSY', REFUSED],
    counted: ({ refused, cutOff }) => [refused.rate, cutOff],
  },
  {
    attack: 'stunFlood',
    scale: 0.1,
    memory: 50,
    told: ['answered'],
    counted: ({ stun }) => [stun?.answered ?? 0, stun?.rateLimited ?? 0],
  },
  {
    attack: 'begunMessages',
    scale: 0.2,
    limits: { begunBytes: 4 * 2 ** 20 },
    memory: 100,
    told: ['1008 too many unfinished messages'],
    counted: ({ offences }) => [offences.message],
  },
  { attack: 'requests', memory: 100, told: ['1 answers'], counted: ({ clients }) => [clients] },
];

describe.runIf(process.platform === 'linux')('a server under', () => {
  it.each(cases)(
    '$attack keeps its memory and its other clients, and says what is wrong',
    async ({ attack, scale = 1, limits = {}, memory, told, refused, counted }) => {
      const result = await attackServer(attack, { quiet: 500, duration: 1_500, scale, told, server: { limits } });
      expect(result.usage.peak - result.usage.before).toBeLessThan(memory);
      expectService(result.quiet, result.loaded, refused);
      expect(Object.keys(result.told)).toEqual(expect.arrayContaining([...told]));
      for (const count of counted(result.counters)) expect(count).toBeGreaterThan(0);
    },
    60_000,
  );
});
