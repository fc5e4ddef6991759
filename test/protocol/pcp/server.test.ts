import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import {
  createPcpServer,
  decodePcpResponse,
  encodePcpRequest,
  PCP_ERROR_LIFETIME,
  PCP_RESULT,
  type PcpMap,
  type PcpRequest,
  type PcpResponse,
  type PcpResultName,
} from '../../../src/protocol/pcp/index.ts';
import { memoryTable } from '../memory-table.ts';
import { filled } from '../rendezvous/support.ts';

const HOST = '192.168.1.2';
const OTHER = '192.168.1.3';
const MAP: PcpMap = {
  opcode: 'MAP',
  nonce: filled(12, 1),
  protocol: 17,
  internalPort: 5000,
  external: endpoint('0.0.0.0', 6000),
};

type Answer = Extract<PcpResponse, { type: 'answer' }>;

function gateway() {
  const table = memoryTable();
  const server = createPcpServer({ table, epoch: (now) => 7 + now / 1000, maxLifetime: 3600 });
  const ask = (request: Partial<PcpRequest> = {}, client = request.clientAddress ?? HOST, now = 0): Answer => {
    const whole = { lifetime: 600, clientAddress: HOST, payload: MAP, options: [], ...request };
    return decodePcpResponse(server.answer(encodePcpRequest(whole), client, now)!) as Answer;
  };
  const said = (bytes: Uint8Array): Buffer | undefined => {
    const answer = server.answer(bytes, HOST, 0);
    return answer && Buffer.from(answer);
  };
  return { table, server, ask, said };
}

/** What an answer refuses with, and for how long. */
const refusal = (name: Exclude<PcpResultName, 'SUCCESS'>) => ({
  type: 'answer',
  result: PCP_RESULT[name],
  lifetime: PCP_ERROR_LIFETIME[name],
  epoch: 7,
});
const at = (port: number): Endpoint => endpoint('203.0.113.9', port);
const PREFER_FAILURE = { type: 'PREFER_FAILURE' } as const;

describe('MAP', () => {
  it.each([
    ['udp', 17],
    ['tcp', 6],
  ] as const)('maps a %s port, and repeats all but the external endpoint', (name, protocol) => {
    const { ask, table } = gateway();
    const payload = { ...MAP, protocol };
    expect(ask({ payload }, HOST, 1000)).toEqual({
      type: 'answer',
      result: 0,
      lifetime: 600,
      epoch: 8,
      payload: { ...payload, external: at(6000) },
      options: [],
    });
    expect(table.list).toMatchObject([{ protocol: name, internal: endpoint(HOST, 5000), until: 601_000 }]);
  });

  it('grants two minutes at least, and so much at most', () => {
    const { ask } = gateway();
    expect([1, 120, 3600, 2 ** 32 - 1].map((lifetime) => ask({ lifetime }).lifetime)).toEqual([120, 120, 3600, 3600]);
  });

  it('takes another port for one that is taken, and the internal one where none is suggested', () => {
    const { ask } = gateway();
    const anyPort = { ...MAP, external: endpoint('0.0.0.0', 0) };
    expect(ask({ payload: anyPort }).payload).toMatchObject({ external: at(5000) });
    const taken = { ...MAP, external: at(5000) };
    expect(ask({ payload: taken, clientAddress: OTHER }).payload).toMatchObject({ external: at(50_000) });
  });

  it('renews where the mapping is, for who knows its nonce', () => {
    const { ask, table } = gateway();
    ask();
    const elsewhere = { ...MAP, external: at(7000) };
    expect(ask({ payload: elsewhere, lifetime: 900 }).payload).toMatchObject({ external: at(6000) });
    expect(ask({ payload: { ...MAP, nonce: filled(12, 2) } })).toMatchObject(refusal('NOT_AUTHORIZED'));
    expect(ask({ payload: { ...MAP, nonce: filled(12, 2) }, lifetime: 0 })).toMatchObject(refusal('NOT_AUTHORIZED'));
    expect(table.list).toMatchObject([{ until: 900_000 }]);
  });

  it('forgets a nonce with its mapping', () => {
    const { ask, table } = gateway();
    ask();
    expect(ask({ payload: { ...MAP, nonce: filled(12, 2) } }, HOST, 600_000).result).toBe(0);
    table.list.length = 0;
    expect(ask({ payload: { ...MAP, nonce: filled(12, 3) } }).result).toBe(0);
  });

  it('takes over what was mapped by other means', () => {
    const { ask, table } = gateway();
    const wish = { protocol: 'udp', internal: endpoint(HOST, 5000), lifetime: 1e6, description: 'a game' } as const;
    table.add({ ...wish, externalPort: 7000 }, 0);
    expect(ask().payload).toMatchObject({ external: at(7000) });
    expect(table.list).toHaveLength(1);
  });

  it('deletes, also what is not there', () => {
    const { ask, table } = gateway();
    ask();
    const deletion = { lifetime: 0, payload: { ...MAP, external: endpoint('0.0.0.0', 0) } };
    for (let i = 0; i < 2; i++) expect(ask(deletion)).toMatchObject({ result: 0, ...deletion });
    expect(table.list).toEqual([]);
  });

  it('with PREFER_FAILURE gives the port that is suggested, or none', () => {
    const { ask, table } = gateway();
    expect(ask({ options: [PREFER_FAILURE] })).toMatchObject({
      result: 0,
      payload: { external: at(6000) },
      options: [PREFER_FAILURE],
    });
    const exact = (payload: Partial<PcpMap>, clientAddress = HOST) =>
      ask({ payload: { ...MAP, ...payload }, clientAddress, options: [PREFER_FAILURE] });
    const impossible = refusal('CANNOT_PROVIDE_EXTERNAL');
    expect(exact({}, OTHER)).toMatchObject(impossible);
    expect(exact({ external: at(7000) })).toMatchObject(impossible);
    expect(exact({ internalPort: 5001, external: endpoint('203.0.113.10', 7000) })).toMatchObject(impossible);
    expect(exact({ internalPort: 5001, external: at(7000) }).result).toBe(0);
    expect(table.list).toHaveLength(2);
  });

  it.each<[string, Partial<PcpRequest>, Exclude<PcpResultName, 'SUCCESS'>]>([
    ['another host', { clientAddress: OTHER }, 'ADDRESS_MISMATCH'],
    ['a third party', { options: [{ type: 'THIRD_PARTY', address: OTHER }] }, 'UNSUPP_OPTION'],
    [
      'some remote hosts only',
      { options: [{ type: 'FILTER', prefixLength: 128, remotePort: 0, remoteAddress: OTHER }] },
      'UNSUPP_OPTION',
    ],
    [
      'what must be understood',
      { options: [{ type: 'unknown', code: 0x7f, data: new Uint8Array(0) }] },
      'UNSUPP_OPTION',
    ],
    ['another protocol', { payload: { ...MAP, protocol: 132 } }, 'UNSUPP_PROTOCOL'],
    ['all ports', { payload: { ...MAP, internalPort: 0 } }, 'UNSUPP_PROTOCOL'],
    ['all protocols', { payload: { ...MAP, protocol: 0, internalPort: 0 } }, 'UNSUPP_PROTOCOL'],
    ['one port of all protocols', { payload: { ...MAP, protocol: 0 } }, 'MALFORMED_REQUEST'],
    ['one remote endpoint', { payload: { ...MAP, opcode: 'PEER', remote: at(1) } }, 'UNSUPP_OPCODE'],
  ])('for %s is refused', (_what, request, name) => {
    const { ask, table } = gateway();
    expect(ask(request, HOST)).toMatchObject(refusal(name));
    expect(table.list).toEqual([]);
  });

  it('passes over what need not be understood', () => {
    const options = [{ type: 'unknown', code: 0x80, data: filled(3, 1) }] as const;
    expect(gateway().ask({ options })).toMatchObject({ result: 0, options: [] });
  });

  it('is refused without room, or without an address', () => {
    const { ask, table } = gateway();
    table.room = 0;
    expect(ask()).toMatchObject(refusal('NO_RESOURCES'));
    table.external = undefined;
    expect(ask()).toMatchObject(refusal('NETWORK_FAILURE'));
  });
});

describe('ANNOUNCE', () => {
  const payload = { opcode: 'ANNOUNCE' } as const;
  const answer = { type: 'answer', result: 0, lifetime: 0, epoch: 9, payload, options: [] };

  it('is answered with the epoch, and said to all', () => {
    const { ask, server } = gateway();
    expect(ask({ payload, lifetime: 0 }, HOST, 2000)).toEqual(answer);
    expect(decodePcpResponse(server.announcement(2000))).toEqual(answer);
  });
});

describe('what cannot be read', () => {
  const request = Buffer.from(encodePcpRequest({ lifetime: 600, clientAddress: HOST, payload: MAP, options: [] }));
  const refused = (name: Exclude<PcpResultName, 'SUCCESS'>): string =>
    `${PCP_RESULT[name]} ${PCP_ERROR_LIFETIME[name]} 7`;
  /** Result, lifetime and epoch. */
  const read = (bytes: Buffer | undefined): string =>
    `${bytes!.readUInt16BE(2)} ${bytes!.readUInt32BE(4)} ${bytes!.readUInt32BE(8)}`;

  it.each<[string, Buffer, Exclude<PcpResultName, 'SUCCESS'>]>([
    ['a header alone', request.subarray(0, 24), 'MALFORMED_REQUEST'],
    ['less than that', request.subarray(0, 9), 'MALFORMED_REQUEST'],
    ['what is no multiple of 4', request.subarray(0, 59), 'MALFORMED_REQUEST'],
    ['what is too long', Buffer.concat([request, Buffer.alloc(1044)]), 'MALFORMED_REQUEST'],
    ['an opcode that there is not', Buffer.concat([Buffer.of(2, 99), request.subarray(2)]), 'UNSUPP_OPCODE'],
    ['an option that is cut', Buffer.concat([request, Buffer.of(2, 0, 0, 4)]), 'MALFORMED_OPTION'],
    ['an option of the wrong length', Buffer.concat([request, Buffer.of(1, 0, 0, 0)]), 'MALFORMED_OPTION'],
  ])('%s comes back with its result', (_what, datagram, name) => {
    const answer = gateway().said(datagram)!;
    expect(read(answer)).toBe(refused(name));
    expect([answer[0], answer[1]]).toEqual([2, 0x80 | datagram[1]!]);
    expect(answer.length % 4).toBe(0);
    expect(answer.length).toBeLessThanOrEqual(1100);
    expect(answer.subarray(24)).toEqual(Buffer.concat([datagram, Buffer.alloc(3)]).subarray(24, answer.length));
  });

  it.each([0, 1, 3])('version %i is refused with the one that there is', (version) => {
    const answer = gateway().said(Buffer.of(version, 1, 0, 0));
    expect(decodePcpResponse(answer!)).toEqual({ type: 'version-refused', version: 2 });
  });

  it('a response, or a byte, gets nothing', () => {
    const { said } = gateway();
    expect([said(Buffer.of(2, 0x81)), said(Buffer.of(2)), said(Buffer.alloc(0))]).toEqual(Array(3).fill(undefined));
  });
});
