import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import type { RelayedSocket } from '../../../src/core/relay.ts';
import { decodeMessage, type EncodableAttribute, encodeMessage } from '../../../src/protocol/stun/index.ts';
import { ALLOCATE, createTurnStreamDecoder } from '../../../src/protocol/turn/index.ts';
import type { Host } from '../../../src/sim/host.ts';
import type { PacketRecord } from '../../../src/sim/packet-log.ts';
import { addressOf } from '../../sim/datagrams.ts';
import { allocate } from './relayed-pairs.ts';
import { PASSWORD, turnWorld, USER } from './turn-world.ts';

type World = ReturnType<typeof turnWorld>;

/** Asks the server at this place; what it fails with, and what is open 2 s later. */
async function failure(bench: World, place: string, transport = 'udp', password = PASSWORD): Promise<unknown> {
  const user = bench.user('alice', `turn:${USER}:${password}@${place}?transport=${transport}`);
  const outcome = await bench.clock.runUntil(allocate(user).catch((error) => error));
  await bench.clock.advance(2_000);
  expect(bench.open('alice')).toBe(0);
  expect(JSON.stringify([bench.log, String(outcome)])).not.toContain(password);
  return outcome;
}

/** A server that answers each request by this error, over UDP and TCP. */
function refusing(
  { world }: World,
  name: string,
  code: number,
  more: readonly EncodableAttribute[] = [],
  addresses?: string[],
): Host {
  const host = world.host(name, { addresses });
  const refusal = (request: Uint8Array): Uint8Array => {
    const { transactionId } = decodeMessage(request);
    const attributes: EncodableAttribute[] = [{ type: 'error-code', code, reason: 'No' }, ...more];
    return encodeMessage({ class: 'error', method: ALLOCATE, transactionId, attributes });
  };
  const socket = host.udp.bind({ family: 4, port: 3478 });
  socket.onDatagram = (data, from) => socket.send(refusal(data), from);
  host.tcp.listen({ port: 3478 }, async (stream) => {
    const decoder = createTurnStreamDecoder();
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
      for (const message of decoder.decode(chunk)) await stream.write(refusal(message));
    }
  });
  return host;
}

const alternate = (at: Endpoint): readonly EncodableAttribute[] => [{ type: 'alternate-server', endpoint: at }];

describe.each(['udp', 'tcp'])('no address is given over %s', (transport) => {
  it('to whom has the wrong password', async () => {
    const error = await failure(turnWorld(), 'relay', transport, 'looking-glass');
    expect(error).toMatchObject({ code: 'ERR_RELAY_REFUSED', message: expect.stringContaining('401') });
  });

  it('where no port is left', async () => {
    const bench = turnWorld({ relayPorts: { first: 6_000, last: 6_000 } });
    const first = await bench.clock.runUntil(allocate(bench.user('bob')));
    const error = await failure(bench, 'relay', transport);
    expect(error).toMatchObject({ code: 'ERR_RELAY_REFUSED', message: expect.stringContaining('508') });
    first.close();
  });

  it('beyond the user’s quota', async () => {
    const bench = turnWorld();
    refusing(bench, 'full', 486);
    const error = await failure(bench, 'full', transport);
    expect(error).toMatchObject({ code: 'ERR_RELAY_REFUSED', message: expect.stringContaining('486') });
  });

  it('by a name that is none', async () => {
    expect(await failure(turnWorld(), 'nowhere', transport)).toMatchObject({ code: 'ERR_RESOLVE' });
  });

  it('by a server that sends us elsewhere, unless there is an address on the internet, and not in circles', async () => {
    const bench = turnWorld();
    refusing(bench, 'inwards', 300, alternate(endpoint('192.168.1.1', 3478)));
    refusing(bench, 'nowhere', 300);
    const [left, right] = ['203.0.113.100', '203.0.113.101'].map((address) => endpoint(address, 3_478));
    refusing(bench, 'left', 300, alternate(right!), [left!.address]);
    refusing(bench, 'right', 300, alternate(left!), [right!.address]);
    for (const place of ['inwards', 'nowhere', 'left']) {
      const error = await failure(bench, place, transport);
      expect(error).toMatchObject({
        code: 'ERR_RELAY_REFUSED',
        message: expect.stringContaining('where we do not go'),
      });
    }
  });

  it('but by another server that the first one names', async () => {
    const bench = turnWorld();
    refusing(bench, 'second', 300, alternate(endpoint(addressOf(bench.server), 3478)));
    const second = endpoint(addressOf(bench.world.hostNamed('second')), 3478);
    refusing(bench, 'first', 300, alternate(second));
    const user = bench.user('alice', `turn:${USER}:${PASSWORD}@first?transport=${transport}`);
    const socket: RelayedSocket = await bench.clock.runUntil(allocate(user));
    expect(socket.local.address).toBe(addressOf(bench.server));
    socket.close();
    await bench.clock.advance(2_000);
    expect(bench.open('alice')).toBe(0);
  });

  it('to whom has given up before', async () => {
    const bench = turnWorld();
    const user = bench.user('alice', `turn:${USER}:${PASSWORD}@relay?transport=${transport}`);
    const reason = new Error('changed my mind');
    await expect(allocate(user, AbortSignal.abort(reason))).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: reason,
    });
    expect(bench.open('alice')).toBe(0);
  });
});

describe('no server', () => {
  it('over UDP: four requests in 5 s', async () => {
    const bench = turnWorld();
    bench.world.host('mute').udp.bind({ family: 4, port: 3478 });
    const requests: number[] = [];
    bench.world.watch(({ at, fate, place }: PacketRecord) => {
      if (fate === 'sent' && place === 'alice') requests.push(at);
    });
    expect(await failure(bench, 'mute')).toMatchObject({
      code: 'ERR_RELAY_UNREACHABLE',
      message: expect.stringContaining('not done within 5 s'),
    });
    // Nothing was lent that would have to be given back.
    expect(requests.map((at) => Math.round(at))).toEqual([0, 500, 1_500, 3_500]);
  });

  it('over TCP: at once where the port is closed, after 5 s where nobody answers or it is not TURN', async () => {
    const bench = turnWorld();
    const host = bench.world.host('other');
    host.tcp.listen({ port: 80 }, (stream) => void stream.write(Buffer.from('SSH-2.0-other\r\n')));
    host.tcp.listen({ port: 81 }, () => {});
    const started = bench.clock.now();
    expect(await failure(bench, 'other:9', 'tcp')).toMatchObject({ code: 'ERR_RELAY_UNREACHABLE' });
    expect(await failure(bench, 'other:80', 'tcp')).toMatchObject({ code: 'ERR_RELAY_UNREACHABLE' });
    // Twice 2 s of `failure` itself.
    expect(bench.clock.now() - started).toBeLessThan(4_500);
    expect(await failure(bench, 'other:81', 'tcp')).toMatchObject({ code: 'ERR_RELAY_UNREACHABLE' });
  });

  it('at its IPv6 address: then at its IPv4 one, which goes first where this host has no other', async () => {
    const bench = turnWorld();
    bench.world.host('both', { addresses: ['2001:db8:9::1', '198.51.100.1'] });
    refusing(bench, 'half', 486, [], ['2001:db8:9::9', '198.51.100.9']);
    const asked = async (host: string): Promise<number> => {
      const started = bench.clock.now();
      const outcome = await bench.clock.runUntil(
        allocate(bench.user(host, `turn:${USER}:${PASSWORD}@half`)).catch((e) => e),
      );
      expect(outcome).toMatchObject({ code: 'ERR_RELAY_REFUSED' });
      return bench.clock.now() - started;
    };
    expect(await asked('both')).toBeGreaterThanOrEqual(5_000);
    expect(await asked('alice')).toBeLessThan(500);
  });
});
