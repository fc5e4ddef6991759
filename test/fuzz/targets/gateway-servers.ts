import { createNatPmpServer, decodeNatPmpResponse, encodeNatPmpRequest } from '../../../src/protocol/natpmp/index.ts';
import { createPcpServer, PCP_MAX_LENGTH } from '../../../src/protocol/pcp/index.ts';
import {
  addPortMapping,
  createHttpRequestReader,
  createHttpResponseReader,
  createIgdServer,
  createSsdpServer,
  decodeSsdp,
  deletePortMapping,
  encodeHttpRequest,
  encodeSearch,
  encodeSoapRequest,
  gatewayUrl,
  getGenericPortMappingEntry,
  getSpecificPortMappingEntry,
  igdTypes,
  type SoapAction,
} from '../../../src/protocol/upnp/index.ts';
import { type MemoryTable, memoryTable } from '../../protocol/memory-table.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateMarkup } from '../engine/mutate-markup.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, type Target } from '../engine/target.ts';
import { natPmpRequests, pcpRequests } from './gateway-messages.ts';

const CLIENT = '192.0.2.2';
const epoch = (now: number): number => now / 1000;

/** Nobody gets a mapping to another host, and there are no more than there is room for. */
function mustBeOwn({ list }: MemoryTable): void {
  const foreign = list.filter(({ internal }) => internal.address !== CLIENT);
  must(foreign.length === 0, 'a mapping leads to who asked for it', () => foreign);
  must(list.length <= 3, 'a table has bounds', () => list.length);
}

/** A gateway that has mapped a port hears a datagram of NAT-PMP. */
export const natPmpServer: Target = {
  name: 'natpmp-server',
  share: 0.5,
  seeds: natPmpRequests.map(encodeNatPmpRequest),
  mutate: mutateBytes,
  run(input) {
    const table = memoryTable();
    const server = createNatPmpServer({ table, epoch, maxLifetime: 3600 });
    server.answer(encodeNatPmpRequest(natPmpRequests[1]!), CLIENT, 0);
    const answer = server.answer(input, CLIENT, 1000);
    mustBeOwn(table);
    if (answer === undefined) return 'nothing';
    must(answer.length <= 16 && answer[0] === 0, 'an answer is short, and of version 0', () => answer);
    must(answer[1] === (input[1]! | 0x80), 'it is the answer to what was asked', () => answer);
    const read = attempt(() => decodeNatPmpResponse(answer));
    return 'value' in read ? read.value.type : 'an opcode that no client asks for';
  },
};

/** A server that has mapped a port hears a datagram of PCP. */
export const pcpServer: Target = {
  name: 'pcp-server',
  share: 0.5,
  seeds: pcpRequests,
  mutate: mutateBytes,
  run(input) {
    const table = memoryTable();
    const server = createPcpServer({ table, epoch, maxLifetime: 3600 });
    server.answer(pcpRequests[0]!, CLIENT, 0);
    const answer = server.answer(input, CLIENT, 1000);
    mustBeOwn(table);
    if (answer === undefined) return 'nothing';
    const { length } = answer;
    must(length >= 24 && length <= PCP_MAX_LENGTH && length % 4 === 0, 'an answer has a length', () => length);
    must(length <= Math.max(64, input.length + 3), 'it is not much longer than the request', () => length);
    must(answer[0] === 2 && answer[1]! >= 0x80, 'it is a response', () => answer);
    return `result ${answer[3]}, ${table.list.length} mappings`;
  },
};

const identity = {
  version: 2,
  uuids: ['a', 'b', 'c'],
  friendlyName: 'x',
  manufacturer: 'y',
  modelName: 'z',
} as const;
const control = gatewayUrl('http://192.0.2.1:5000/ctl/IPConn', '192.0.2.1')!;

const wish = {
  protocol: 'udp',
  externalPort: 5000,
  internalClient: CLIENT,
  internalPort: 5000,
  description: 'a & b',
  lease: 3600,
} as const;

function invocation(action: SoapAction<unknown>): Uint8Array {
  const soap = encodeSoapRequest(igdTypes(2).service, action);
  return encodeHttpRequest({ method: 'POST', url: control, ...soap });
}

/** A gateway that has mapped a port hears a request over TCP: it is answered with what a client can read, or it is not whole. */
export const igdServer: Target = {
  name: 'igd-server',
  share: 0.1,
  seeds: [
    invocation(addPortMapping(wish)),
    invocation({ ...addPortMapping({ ...wish, externalPort: 5001 }), name: 'AddAnyPortMapping' }),
    invocation(deletePortMapping(wish)),
    invocation(getSpecificPortMappingEntry(wish)),
    invocation(getGenericPortMappingEntry(0)),
    invocation({ name: 'GetExternalIPAddress', args: [], read: () => undefined }),
    encodeHttpRequest({ method: 'GET', url: { ...control, path: '/rootDesc.xml' } }),
  ],
  mutate: mutateMarkup,
  run(input) {
    const table = memoryTable();
    const server = createIgdServer({ identity, table, maxLifetime: 3600, permanentOnly: false, uptime: epoch });
    const receive = (bytes: Uint8Array) => createHttpRequestReader({ maxBody: 8192 }).push(bytes);
    server.answer(receive(invocation(addPortMapping(wish)))!, CLIENT, 0);
    const request = attempt(() => receive(input));
    if ('outcome' in request) return request.outcome;
    if (request.value === undefined) return 'not whole';
    const answer = server.answer(request.value, CLIENT, 1000);
    mustBeOwn(table);
    const response = createHttpResponseReader({ maxBody: 8192 }).push(answer);
    must(response !== undefined, 'an answer is a response');
    return `${response.status}, ${table.list.length} mappings`;
  },
};

/** A gateway hears a datagram at the port of SSDP. */
export const ssdpServer: Target = {
  name: 'ssdp-server',
  share: 0.5,
  seeds: ['ssdp:all', 'upnp:rootdevice', 'uuid:b', igdTypes(1).service, igdTypes(2).devices[0]].map((target) =>
    encodeSearch({ target, host: '239.255.255.250:1900', maxWait: 1 }),
  ),
  mutate: mutateText,
  run(input) {
    const answers = createSsdpServer({ identity, location: 'http://192.0.2.1:5000/', bootId: '1' }).answers(input);
    must(answers.length <= 8, 'there are no more answers than parts', () => answers.length);
    for (const answer of answers) must(decodeSsdp(answer).kind === 'response', 'an answer can be read');
    return answers.length === 0 ? 'nothing' : answers.length === 1 ? 'one answer' : 'several';
  },
};
