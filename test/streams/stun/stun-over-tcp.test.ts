import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../../src/adapters/sim/index.ts';
import type { Binding } from '../../../src/core/binding.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { ByteSocket } from '../../../src/core/network.ts';
import { BINDING, decodeMessage, type EncodableAttribute, encodeMessage } from '../../../src/protocol/stun/index.ts';
import { type Internet, internet, type TcpSocket } from '../../../src/sim/index.ts';
import { stunOverTcp } from '../../../src/streams/stun-over-tcp.ts';

const PORT = 3478;
const never = new AbortController().signal;

/** Alice behind a NAT, and a server 80 ms from her that answers each chunk as `answer` says, on another port than STUN's. */
async function ask(
  answer: (request: Uint8Array, socket: TcpSocket) => void,
  { timeout, signal = never }: { timeout?: number; signal?: AbortSignal } = {},
): Promise<{ binding: Binding; socket: ByteSocket; world: Internet }> {
  const world = internet({ seed: 1 });
  const server = world.host('server');
  world.nat('home').host('alice');
  server.tcp.listen({ port: PORT }, async (socket) => {
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) answer(chunk, socket);
  });
  const network = simNetwork(world.hostNamed('alice'));
  const socket = await world.clock.runUntil(network.connect({ host: 'server', port: PORT }));
  const { clock } = world;
  const random = world.random.stream('stun');
  const asked = stunOverTcp({ socket, clock, random, signal, ...(timeout !== undefined && { timeout }) });
  return { binding: await clock.runUntil(asked), socket, world };
}

function response(
  request: Uint8Array,
  attributes: readonly EncodableAttribute[],
  kind: 'success' | 'error' = 'success',
) {
  const { transactionId } = decodeMessage(request);
  return encodeMessage({ class: kind, method: BINDING, transactionId, attributes });
}

const mapped: EncodableAttribute = { type: 'xor-mapped-address', endpoint: endpoint('203.0.113.9', 4000) };

describe('a Binding transaction on a TCP connection', () => {
  it('tells how the NAT maps the port, and leaves the connection open', async () => {
    const world = internet({ seed: 1 });
    world.host('server', { services: [{ type: 'stun' }] });
    const home = world.nat('home');
    const network = simNetwork(home.host('alice'));
    const socket = await world.clock.runUntil(network.connect({ host: 'server', port: PORT, localPort: 5000 }));
    const { clock } = world;
    for (let i = 0; i < 2; i++) {
      const asked = stunOverTcp({ socket, clock, random: world.random.stream(`stun ${i}`), signal: never });
      const binding = await clock.runUntil(asked);
      expect(binding.mapped).toEqual(home.translator!.mappings(clock.now())[0]!.external);
      expect(binding).toMatchObject({ server: socket.remote, local: socket.local, rtt: 80 });
    }
    expect(world.hostNamed('alice').tcp.open).toBe(1);
  });

  it('takes an answer in pieces, after what is nobody’s', async () => {
    const { binding } = await ask((request, socket) => {
      const other = Uint8Array.from(response(request, [mapped]));
      other[19]! ^= 1;
      const answer = response(request, [mapped, { type: 'other-address', endpoint: endpoint('203.0.113.8', 3479) }]);
      for (const part of [other, answer.subarray(0, 7), answer.subarray(7)]) void socket.write(part);
    });
    expect(binding.mapped).toEqual(endpoint('203.0.113.9', 4000));
    expect(binding.other).toEqual(endpoint('203.0.113.8', 3479));
  });

  it.each<[string, string, (request: Uint8Array, socket: TcpSocket) => void]>([
    ['ERR_STUN_RESPONSE', 'has no address', (request, socket) => void socket.write(response(request, []))],
    [
      'ERR_STUN_RESPONSE',
      'is an error',
      (request, socket) =>
        void socket.write(response(request, [{ type: 'error-code', code: 500, reason: 'no' }], 'error')),
    ],
    ['ERR_STUN_RESPONSE', 'is the end', (_request, socket) => void socket.end()],
    ['ERR_DECODE', 'is no STUN', (_request, socket) => void socket.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))],
    ['ERR_TIMEOUT', 'is silence', () => {}],
  ])('fails with %s when the answer %s', async (code, _what, answer) => {
    await expect(ask(answer)).rejects.toMatchObject({ code });
  });

  it('waits 39.5 s, or as long as it is told', async () => {
    await expect(ask(() => {})).rejects.toThrow('39.5 s');
    await expect(ask(() => {}, { timeout: 3000 })).rejects.toThrow('within 3 s');
  });

  it('ends with its signal', async () => {
    const abort = new AbortController();
    const reason = new Error('not wanted any more');
    await expect(ask(() => abort.abort(reason), { signal: abort.signal })).rejects.toBe(reason);
  });
});
