import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { Random } from '../../../src/core/random.ts';
import {
  createPcpClient,
  encodePcpResponse,
  type PcpClient,
  type PcpClientOptions,
  type PcpMap,
  type PcpPayload,
  type PcpRequest,
  type PcpResponse,
} from '../../../src/protocol/pcp/index.ts';
import { runUntil } from '../gateway-run.ts';

const server = endpoint('2001:db8::1', 5351);
const map: PcpMap = {
  opcode: 'MAP',
  nonce: new Uint8Array(12).fill(7),
  protocol: 6,
  internalPort: 5000,
  external: endpoint('::', 5000),
};
const remote = endpoint('2001:db8::9', 443);
const request = (payload: PcpPayload): PcpRequest => ({
  lifetime: 3600,
  clientAddress: '2001:db8::2',
  payload,
  options: [],
});
const answer = (payload: PcpPayload, epoch = 100, result = 0): PcpResponse => ({
  type: 'answer',
  result,
  lifetime: 3600,
  epoch,
  payload,
  options: [],
});

/** Gives 32-bit numbers over and over: the jitter that they stand for. */
const constantRandom = (value: number): Random => ({
  bytes: (length) => {
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32BE(value);
    return bytes;
  },
});
/** `randomInteger(random, 2001)` is 1000: no jitter. */
const noJitter = constantRandom(1000);

function asking(payload: PcpPayload = map, options: Partial<PcpClientOptions> = {}, timeout = 1e9): PcpClient {
  const client = createPcpClient(server, { random: noJitter, ...options });
  client.handle({ type: 'request', id: 1, request: request(payload), timeout }, 0);
  return client;
}

function hear(client: PcpClient, response: PcpResponse, now: number, from = server) {
  client.handle({ type: 'datagram', data: encodePcpResponse(response), from }, now);
  return runUntil(client, now, now).events;
}

describe('a PCP client', () => {
  it('sends after 3 s, then at doubling intervals up to 1024 s, without end (section 8.1.1)', () => {
    const { sent } = runUntil(asking(), 0, 5_200_000);
    const times = sent.map(({ at }) => at / 1000);
    expect(times.slice(0, 5)).toEqual([0, 3, 9, 21, 45]);
    expect(times.slice(-3)).toEqual([2557, 3581, 4605]);
  });

  it.each([
    ['shortens', 0, 2700],
    ['lengthens', 2000, 3300],
  ])('%s an interval by a tenth at most', (_what, number, expected) => {
    const { sent } = runUntil(asking(map, { random: constantRandom(number) }), 0, 5000);
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, expected]);
  });

  it('ends at its timeout', () => {
    const { sent, events } = runUntil(asking(map, { initial: 250 }, 2000), 0, 10_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 250, 750, 1750]);
    expect(events).toEqual([{ type: 'unanswered', id: 1, sends: 4 }]);
  });

  it('gives the answer once and sends no more', () => {
    const client = asking();
    runUntil(client, 0, 0);
    const response = answer({ ...map, external: endpoint('2001:db8::2', 6000) });
    expect(hear(client, response, 20)).toEqual([{ type: 'answered', id: 1, response }]);
    expect(hear(client, response, 21)).toEqual([]);
    expect(client.dropped.unmatched).toBe(1);
    expect(runUntil(client, 21, 1e6)).toEqual({ sent: [], events: [] });
  });

  it('gives an error as an answer', () => {
    const response = answer(map, 100, 8);
    expect(hear(asking(), response, 20)).toEqual([{ type: 'answered', id: 1, response }]);
  });

  it.each<[string, PcpPayload]>([
    ['another nonce', { ...map, nonce: new Uint8Array(12).fill(8) }],
    ['another protocol', { ...map, protocol: 17 }],
    ['another internal port', { ...map, internalPort: 5001 }],
    ['another opcode', { ...map, opcode: 'PEER', remote }],
  ])('is not answered with %s (section 11.4)', (_what, payload) => {
    const client = asking();
    expect(hear(client, answer(payload), 5)).toEqual([]);
    expect(client.dropped.unmatched).toBe(1);
    expect(client.heard).toBe(false);
  });

  it('compares the remote endpoint of a PEER (section 12.4)', () => {
    const peer: PcpPayload = { ...map, opcode: 'PEER', remote };
    const client = asking(peer);
    expect(hear(client, answer({ ...peer, remote: endpoint('2001:db8::9', 444) }), 5)).toEqual([]);
    expect(hear(client, answer(map), 5)).toEqual([]);
    expect(hear(client, answer(peer), 5)).toHaveLength(1);
  });

  it('asks for the epoch by ANNOUNCE (section 14.1.2)', () => {
    const response = answer({ opcode: 'ANNOUNCE' });
    expect(hear(asking({ opcode: 'ANNOUNCE' }), response, 5)).toEqual([{ type: 'answered', id: 1, response }]);
  });

  it('ignores what comes from another address', () => {
    const client = asking();
    expect(hear(client, answer(map), 5, endpoint('2001:db8::66', 5351))).toEqual([]);
    expect(client.dropped.foreign).toBe(1);
  });

  it('takes the refusal of its version for an answer (section 9)', () => {
    const response: PcpResponse = { type: 'version-refused', version: 0 };
    expect(hear(asking(), response, 5)).toEqual([{ type: 'answered', id: 1, response }]);
  });

  it('notices by an answer that the server has restarted', () => {
    const client = asking();
    hear(client, answer(map, 500), 0);
    client.handle({ type: 'request', id: 2, request: request(map), timeout: 2000 }, 10_000);
    expect(hear(client, answer(map, 3), 10_000).map(({ type }) => type)).toEqual(['restarted', 'answered']);
  });

  it('notices by an announcement (section 14.1.3), and only by a new epoch', () => {
    const client = asking();
    hear(client, answer(map, 500), 0);
    expect(hear(client, answer({ opcode: 'ANNOUNCE' }, 510), 10_000)).toEqual([]);
    expect(hear(client, answer({ opcode: 'ANNOUNCE' }, 0), 20_000)).toEqual([{ type: 'restarted', reason: 'epoch' }]);
    expect(hear(client, answer({ opcode: 'ANNOUNCE' }, 0), 20_100)).toEqual([]);
  });

  it('learns no epoch from what it does not accept', () => {
    const client = asking();
    hear(client, answer(map, 500), 0);
    expect(hear(client, answer({ ...map, internalPort: 1 }, 0), 1000)).toEqual([]);
    expect(hear(client, answer({ opcode: 'ANNOUNCE' }, 502), 2000)).toEqual([]);
  });
});
