import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  createNatPmpClient,
  encodeNatPmpResponse,
  NATPMP_TIMEOUT,
  type NatPmpClient,
  type NatPmpRequest,
  type NatPmpResponse,
} from '../../../src/protocol/natpmp/index.ts';
import { runUntil } from '../gateway-run.ts';

const server = endpoint('192.0.2.1', 5351);
const mapping: NatPmpRequest = { opcode: 'udp', internalPort: 5000, externalPort: 5000, lifetime: 3600 };
const mapped: NatPmpResponse = {
  type: 'mapped',
  protocol: 'udp',
  epoch: 100,
  internalPort: 5000,
  externalPort: 5001,
  lifetime: 3600,
};
const address = (epoch: number, externalAddress = '203.0.113.9'): NatPmpResponse => ({
  type: 'external-address',
  epoch,
  externalAddress,
});

type Words = Parameters<typeof encodeNatPmpResponse>[0];

function hear(client: NatPmpClient, response: NatPmpResponse, now: number, from = server) {
  client.handle({ type: 'datagram', data: encodeNatPmpResponse(response as Words), from }, now);
  return runUntil(client, now, now).events;
}

function asking(request: NatPmpRequest = mapping, timeout = NATPMP_TIMEOUT): NatPmpClient {
  const client = createNatPmpClient(server);
  client.handle({ type: 'request', id: 1, request, timeout }, 0);
  return client;
}

describe('a NAT-PMP client', () => {
  it('sends nine times, at doubling intervals from 250 ms, and gives up after the wait of the ninth', () => {
    const { sent, events } = runUntil(asking(), 0, 200_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 250, 750, 1750, 3750, 7750, 15_750, 31_750, 63_750]);
    expect(sent.every(({ to }) => to === server)).toBe(true);
    expect(events).toEqual([{ type: 'unanswered', id: 1, sends: 9 }]);
    expect(NATPMP_TIMEOUT).toBe(127_750);
  });

  it('ends at its timeout', () => {
    const { sent, events } = runUntil(asking(mapping, 2000), 0, 200_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 250, 750, 1750]);
    expect(events).toEqual([{ type: 'unanswered', id: 1, sends: 4 }]);
  });

  it('gives the answer once and sends no more', () => {
    const client = asking();
    runUntil(client, 0, 0);
    expect(hear(client, mapped, 20)).toEqual([{ type: 'answered', id: 1, response: mapped }]);
    expect(hear(client, mapped, 21)).toEqual([]);
    expect(runUntil(client, 21, 200_000)).toEqual({ sent: [], events: [] });
    expect(client.dropped).toEqual({ foreign: 0, malformed: 0, unmatched: 1 });
  });

  it('sends nothing for a request that was cancelled', () => {
    const client = asking();
    runUntil(client, 0, 0);
    client.handle({ type: 'cancel', id: 1 }, 100);
    expect(runUntil(client, 100, 200_000)).toEqual({ sent: [], events: [] });
  });

  it.each([
    ['another address', endpoint('192.0.2.66', 5351)],
    ['another port', endpoint('192.0.2.1', 5352)],
  ])('ignores what comes from %s', (_what, from) => {
    const client = asking();
    expect(hear(client, mapped, 5, from)).toEqual([]);
    expect(client.dropped.foreign).toBe(1);
    expect(client.heard).toBe(false);
  });

  it.each<[string, NatPmpResponse]>([
    ['another protocol', { ...mapped, protocol: 'tcp' } as NatPmpResponse],
    ['another internal port', { ...mapped, internalPort: 5001 } as NatPmpResponse],
    ['a deletion', { ...mapped, externalPort: 0, lifetime: 0 } as NatPmpResponse],
    ['the refusal of another port', { type: 'refused', opcode: 'udp', result: 2, epoch: 1, internalPort: 1 }],
    ['the refusal of another opcode', { type: 'refused', opcode: 'external-address', result: 2, epoch: 1 }],
  ])('is not answered by %s', (_what, response) => {
    const client = asking();
    expect(hear(client, response, 5)).toEqual([]);
    expect(client.dropped.unmatched).toBe(1);
  });

  it('keeps a mapping and a deletion of one port apart', () => {
    const client = asking();
    client.handle({ type: 'request', id: 2, request: { ...mapping, externalPort: 0, lifetime: 0 }, timeout: 2000 }, 0);
    const deleted: NatPmpResponse = { ...mapped, externalPort: 0, lifetime: 0 } as NatPmpResponse;
    expect(hear(client, deleted, 5)).toEqual([{ type: 'answered', id: 2, response: deleted }]);
    expect(hear(client, mapped, 6)).toEqual([{ type: 'answered', id: 1, response: mapped }]);
  });

  it('notices by an answer that the gateway has restarted', () => {
    const client = asking({ opcode: 'external-address' });
    hear(client, address(500), 0);
    client.handle({ type: 'request', id: 2, request: mapping, timeout: 2000 }, 10_000);
    expect(hear(client, { ...mapped, epoch: 3 } as NatPmpResponse, 10_000)).toEqual([
      { type: 'restarted', reason: 'epoch' },
      { type: 'answered', id: 2, response: { ...mapped, epoch: 3 } },
    ]);
  });

  it('notices by an announcement, in its own words or in those of PCP', () => {
    const client = asking({ opcode: 'external-address' });
    hear(client, address(500), 0);
    expect(hear(client, address(501), 1000)).toEqual([]);
    expect(hear(client, address(0), 2000)).toEqual([{ type: 'restarted', reason: 'epoch' }]);
    expect(hear(client, address(100), 100_000)).toEqual([]);
    const announcement = Buffer.from(`0280000000000000${'00'.repeat(16)}`, 'hex');
    client.handle({ type: 'datagram', data: announcement, from: server }, 101_000);
    expect(runUntil(client, 101_000, 101_000).events).toEqual([{ type: 'restarted', reason: 'epoch' }]);
  });

  it('notices that the external address is another one', () => {
    const client = asking({ opcode: 'external-address' });
    hear(client, address(500), 0);
    expect(hear(client, address(510, '203.0.113.10'), 10_000)).toEqual([
      { type: 'restarted', reason: 'external-address' },
    ]);
  });
});
