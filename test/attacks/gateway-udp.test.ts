import { describe, expect, it } from 'vitest';
import { natPmp } from '../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../src/adapters/port-mapper/upnp-igd/index.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { encodeAddress } from '../../src/protocol/pcp/address.ts';
import { GATEWAY, type GatewayWorld, gatewayWorld, REQUEST, withinCost } from './gateway-world.ts';

const PROTOCOLS = [
  { name: 'nat-pmp', factory: natPmp() },
  { name: 'pcp', factory: pcp() },
] as const;

/** Where PCP and NAT-PMP are spoken. */
const SERVER = endpoint(GATEWAY, 5351);

type Alter = (answer: Buffer) => readonly Uint8Array[];

/** An answer with these bytes at that place. */
function put(answer: Buffer, at: number, ...bytes: readonly number[]): readonly Uint8Array[] {
  const altered = Buffer.from(answer);
  altered.set(bytes.slice(0, altered.length - at), at);
  return [altered];
}

/** Offsets in answers of PCP that are about a mapping (RFC 6887 sections 7.2 and 11.1). */
const PCP = { lifetime: 4, epoch: 8, nonce: 24, protocol: 36, internalPort: 40, port: 42, address: 44 };

/** Answers that are not to what was asked. */
const NO_ANSWERS: readonly (readonly ['pcp' | 'nat-pmp', string, Alter])[] = [
  ['pcp', 'with another nonce', (answer) => put(answer, PCP.nonce, answer[PCP.nonce]! ^ 1)],
  ['pcp', 'with another opcode', (answer) => put(answer, 1, 0x82)],
  ['pcp', 'with an opcode that there is not', (answer) => put(answer, 1, 0xff)],
  ['pcp', 'that is a request', (answer) => put(answer, 1, 0x01)],
  ['pcp', 'of another version', (answer) => put(answer, 0, 3)],
  ['pcp', 'about another protocol', (answer) => put(answer, PCP.protocol, 6)],
  ['pcp', 'about another internal port', (answer) => put(answer, PCP.internalPort, 0, 1)],
  ['pcp', 'that lacks its end', (answer) => [answer.subarray(0, -4)]],
  ['pcp', 'of an odd length', (answer) => [answer.subarray(0, -1)]],
  ['pcp', 'of more than 1,100 bytes', (answer) => [Buffer.concat([answer, Buffer.alloc(1100)])]],
  [
    'pcp',
    'with an option that is longer than it',
    (answer) => [Buffer.concat([answer, Buffer.from('c8000400', 'hex')])],
  ],
  ['pcp', 'of nothing', () => [new Uint8Array()]],
  ['nat-pmp', 'of another version', (answer) => put(answer, 0, 1)],
  ['nat-pmp', 'that is a request', (answer) => put(answer, 1, 0)],
  ['nat-pmp', 'with an opcode that there is not', (answer) => put(answer, 1, 0xff)],
  ['nat-pmp', 'about a mapping', (answer) => put(answer, 1, 0x81)],
  ['nat-pmp', 'that lacks its end', (answer) => [answer.subarray(0, -1)]],
  ['nat-pmp', 'of nothing', () => [new Uint8Array()]],
];

/** Answers to what was asked that nobody could use. */
const NO_GRANTS: readonly (readonly ['pcp' | 'nat-pmp', string, Alter])[] = [
  ...['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'ff02::1', '2001:db8::1'].map(
    (address) =>
      [
        'pcp',
        `the address ${address}`,
        (answer: Buffer) => put(answer, PCP.address, ...encodeAddress(address)),
      ] as const,
  ),
  ['pcp', 'port 0', (answer) => put(answer, PCP.port, 0, 0)],
  ['pcp', 'no time', (answer) => put(answer, PCP.lifetime, 0, 0, 0, 0)],
  ...['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255'].map(
    (address) =>
      [
        'nat-pmp',
        `the address ${address}`,
        ifAddress((answer) => put(answer, 8, ...address.split('.').map(Number))),
      ] as const,
  ),
  ['nat-pmp', 'port 0', ifMapped((answer) => put(answer, 10, 0, 0))],
];

function ifMapped(alter: Alter): Alter {
  return (answer) => (answer[1] === 0x81 ? alter(answer) : [answer]);
}

function ifAddress(alter: Alter): Alter {
  return (answer) => (answer[1] === 0x80 ? alter(answer) : [answer]);
}

/** UPnP asks at the same time, and must have its mapping whatever is said over UDP. Gives what the protocol under attack came to. */
async function mapBeside(world: GatewayWorld, via: 'pcp' | 'nat-pmp'): Promise<string | undefined> {
  const { factory } = PROTOCOLS.find(({ name }) => name === via)!;
  const [attacked, other] = [world.mapper(factory), world.mapper(upnpIgd())];
  let outcomes: string[] = [];
  await withinCost(async () => {
    outcomes = await world.outcomes(attacked.map(REQUEST), other.map(REQUEST));
  });
  expect(outcomes[1]).toBe('done');
  expect(world.igd.table).toHaveLength(1);
  return outcomes[0];
}

describe('an answer over UDP', () => {
  it.each(NO_ANSWERS)('of %s %s is none', async (via, _what, alter) => {
    const world = await gatewayWorld();
    world.udp.alter = alter;
    expect(await mapBeside(world, via)).toBe('ERR_MAPPING_UNAVAILABLE');
    expect(world.clock.now()).toBeLessThan(2_100);
    expect(world.udp.requests.length).toBeLessThanOrEqual(5);
    await world.pass(100);
    expect(world.udp.table).toEqual([]);
  });

  it.each(NO_GRANTS)('of %s that grants %s is ERR_GATEWAY_PROTOCOL and leaves nothing', async (via, _what, alter) => {
    const world = await gatewayWorld();
    world.udp.alter = alter;
    expect(await mapBeside(world, via)).toBe('ERR_GATEWAY_PROTOCOL');
    await world.pass(100);
    expect(world.udp.table).toEqual([]);
  });

  it.each(PROTOCOLS)(
    'of $name in which the external address is this host’s is told to reach no further',
    async ({ factory }) => {
      const world = await gatewayWorld();
      world.udp.externalAddress = '192.168.1.2';
      expect((await world.drive(world.mapper(factory).map(REQUEST))).reach).toBe('private');
    },
  );

  it.each(PROTOCOLS)('of $name that grants 2^32-1 seconds is believed for a day', async ({ name, factory }) => {
    const world = await gatewayWorld();
    const forever = [0xff, 0xff, 0xff, 0xff];
    const at = name === 'pcp' ? PCP.lifetime : 12;
    world.udp.alter = (answer) => (answer.length > at + 3 ? put(answer, at, ...forever) : [answer]);
    expect((await world.drive(world.mapper(factory).map(REQUEST))).lifetime).toBe(86_400);
  });

  it.each(PROTOCOLS)('of $name that comes from another address or port is none', async ({ name }) => {
    const world = await gatewayWorld();
    world.udp.alter = (answer) => {
      for (const from of [endpoint('127.0.0.66', 5351), endpoint(GATEWAY, 5352)]) world.forge(answer, from);
      return [];
    };
    expect(await mapBeside(world, name)).toBe('ERR_MAPPING_UNAVAILABLE');
  });

  it.each(PROTOCOLS)('of $name that comes after the deadline changes nothing', async ({ name, factory }) => {
    const world = await gatewayWorld();
    const mapper = world.mapper(factory);
    await world.drive(mapper.map({ ...REQUEST, internalPort: 5001 }));
    const late: Uint8Array[] = [];
    world.udp.alter = (answer) => {
      late.push(answer);
      return [];
    };
    expect(await world.outcomes(mapper.map(REQUEST))).toEqual(['ERR_TIMEOUT']);
    for (const answer of late) world.forge(answer, SERVER);
    await world.pass(3_000);
    expect(world.clock.pending).toBe(0);
    expect(late.length).toBeGreaterThan(3);
    world.udp.alter = (answer) => [answer];
    expect(await mapBeside(world, name)).toBe('done');
  });
});

describe('a flood over UDP', () => {
  it.each(PROTOCOLS)('of answers of $name to nothing keeps the true one from nobody', async ({ name }) => {
    const world = await gatewayWorld();
    world.udp.alter = (answer) => {
      const [forged] = put(answer, name === 'pcp' ? PCP.internalPort : 1, 0xff, 0xff);
      return [...new Array<Uint8Array>(10_000).fill(forged!), answer];
    };
    expect(await mapBeside(world, name)).toBe('done');
  });
});

describe('a gateway that answers each half of a question late', () => {
  it('is waited for no longer than for one question when a lease is renewed', async () => {
    const world = await gatewayWorld();
    const mapper = world.mapper(natPmp());
    const mapping = await world.drive(mapper.map(REQUEST));
    const since = world.clock.now();
    world.udp.alter = ifAddress((answer) => {
      world.clock.setTimeout(() => world.forge(answer, SERVER), 1_900);
      return [];
    });
    world.udp.losesGrants = true;
    expect(await world.outcomes(mapper.renew(mapping))).toEqual(['ERR_TIMEOUT']);
    expect(world.clock.now() - since).toBeLessThanOrEqual(2_010);
  });
});
