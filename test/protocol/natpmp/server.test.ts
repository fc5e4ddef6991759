import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  createNatPmpServer,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  NATPMP_RESULT,
  type NatPmpRequest,
  type NatPmpResponse,
} from '../../../src/protocol/natpmp/index.ts';
import { memoryTable } from '../memory-table.ts';

const HOST = '192.168.1.2';
const OTHER = '192.168.1.3';
const UDP = { opcode: 'udp', internalPort: 5000, externalPort: 6000, lifetime: 600 } as const;

function gateway() {
  const table = memoryTable();
  const server = createNatPmpServer({ table, epoch: (now) => 7 + now / 1000, maxLifetime: 3600 });
  const ask = (request: NatPmpRequest, client = HOST, now = 0): NatPmpResponse =>
    decodeNatPmpResponse(server.answer(encodeNatPmpRequest(request), client, now)!);
  const said = (hex: string): string | undefined => {
    const answer = server.answer(Buffer.from(hex, 'hex'), HOST, 0);
    return answer && Buffer.from(answer).toString('hex');
  };
  return { table, server, ask, said };
}

describe('a NAT-PMP server', () => {
  it('tells its external address and the seconds of its epoch', () => {
    const { ask, table } = gateway();
    expect(ask({ opcode: 'external-address' }, HOST, 5000)).toEqual({
      type: 'external-address',
      epoch: 12,
      externalAddress: '203.0.113.9',
    });
    table.external = undefined;
    expect(ask({ opcode: 'external-address' })).toMatchObject({ result: NATPMP_RESULT.networkFailure });
    expect(ask(UDP)).toMatchObject({ result: NATPMP_RESULT.networkFailure, internalPort: 5000 });
  });

  it.each(['udp', 'tcp'] as const)('maps a %s port to whoever asks', (opcode) => {
    const { ask, table } = gateway();
    const mapped = {
      type: 'mapped',
      protocol: opcode,
      epoch: 7,
      internalPort: 5000,
      externalPort: 6000,
      lifetime: 600,
    };
    expect(ask({ ...UDP, opcode })).toEqual(mapped);
    expect(table.list).toEqual([
      {
        protocol: opcode,
        internal: endpoint(HOST, 5000),
        external: endpoint('203.0.113.9', 6000),
        until: 600_000,
        description: 'NAT-PMP',
      },
    ]);
  });

  it('takes the internal port where none is wished, and another for one that is taken', () => {
    const { ask } = gateway();
    expect(ask({ ...UDP, externalPort: 0 })).toMatchObject({ externalPort: 5000 });
    expect(ask({ ...UDP, externalPort: 5000 }, OTHER)).toMatchObject({ externalPort: 50_000 });
  });

  it('renews where the mapping is, whatever port is wished, and grants so long at most', () => {
    const { ask, table } = gateway();
    ask(UDP);
    expect(ask({ ...UDP, externalPort: 7000, lifetime: 9999 }, HOST, 1000)).toMatchObject({
      externalPort: 6000,
      lifetime: 3600,
    });
    expect(table.list).toMatchObject([{ until: 3_601_000 }]);
  });

  it('deletes one mapping, or all that the host has of the protocol, and what is not there', () => {
    const { ask, table } = gateway();
    const gone = { type: 'mapped', protocol: 'udp', internalPort: 5000, externalPort: 0, lifetime: 0 };
    ask(UDP);
    ask({ ...UDP, internalPort: 5001, externalPort: 6001 });
    ask({ ...UDP, externalPort: 6002 }, OTHER);
    const deletion = { opcode: 'udp', internalPort: 5000, externalPort: 0, lifetime: 0 } as const;
    expect(ask(deletion)).toMatchObject(gone);
    expect(ask(deletion)).toMatchObject(gone);
    expect(table.list.map(({ external }) => external.port)).toEqual([6001, 6002]);
    expect(ask({ ...deletion, internalPort: 0 })).toMatchObject({ ...gone, internalPort: 0 });
    expect(table.list.map(({ external }) => external.port)).toEqual([6002]);
  });

  it('refuses what it has no room for, and port 0', () => {
    const { ask, table } = gateway();
    table.room = 0;
    expect(ask(UDP)).toMatchObject({ type: 'refused', result: NATPMP_RESULT.outOfResources });
    expect(ask({ ...UDP, internalPort: 0 })).toMatchObject({ type: 'refused', result: NATPMP_RESULT.notAuthorized });
  });

  it.each([
    ['another version', `0200${'00'.repeat(22)}`, '0080000100000007'],
    ['another version of another opcode', '0107', '0087000100000007'],
    ['an opcode that there is not', '0003', '0083000500000007'],
  ])('refuses %s with its opcode and 8 bytes', (_what, request, refusal) => {
    expect(gateway().said(request)).toBe(refusal);
  });

  it.each([
    ['nothing', ''],
    ['one byte', '00'],
    ['a response', '0080'],
    ['a response of another version', '0281'],
    ['a mapping that is cut', '0001000013881770'],
  ])('says nothing to %s', (_what, datagram) => {
    expect(gateway().said(datagram)).toBeUndefined();
  });

  it('announces its address', () => {
    const { server } = gateway();
    expect(decodeNatPmpResponse(server.announcement(1000))).toEqual({
      type: 'external-address',
      epoch: 8,
      externalAddress: '203.0.113.9',
    });
  });
});
