import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import type { Datagram } from '../../src/core/datagram.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import { createDirectPath } from '../../src/streams/direct-path.ts';

function setUp() {
  const sent: string[] = [];
  const state = { takes: true, closed: false };
  const socket: DatagramSocket = {
    local: endpoint('0.0.0.0', 5000),
    datagrams$: new Subject<Datagram>(),
    send(data: Uint8Array, to: Endpoint) {
      sent.push(`${data.join()} to ${formatEndpoint(to)}`);
      return state.takes;
    },
    close: () => {
      state.closed = true;
    },
  };
  const path = createDirectPath({
    id: 'udp/0/1',
    socket,
    local: endpoint('198.51.100.1', 40_000),
    remote: endpoint('2001:db8::2', 6000),
    strategy: 'checks',
    rtt: 12.5,
  });
  const received: string[] = [];
  path.datagrams$.subscribe({
    next: (packet) => received.push(packet.join()),
    complete: () => received.push('complete'),
  });
  return { sent, state, path, received };
}

it('describes itself by the addresses that people should read', () => {
  expect(setUp().path.info).toEqual({
    id: 'udp/0/1',
    kind: 'direct',
    transport: 'udp',
    local: '198.51.100.1:40000',
    remote: '[2001:db8::2]:6000',
    strategy: 'checks',
    rtt: 12.5,
  });
});

it('sends to its remote address and says when the socket drops', () => {
  const { path, sent, state } = setUp();
  expect(path.send(Uint8Array.of(1, 2))).toBe(true);
  state.takes = false;
  expect(path.send(Uint8Array.of(3))).toBe(false);
  expect(sent).toEqual(['1,2 to [2001:db8::2]:6000', '3 to [2001:db8::2]:6000']);
});

it('closes its datagrams and leaves the shared socket open', () => {
  const { path, received, state } = setUp();
  path.receive(Uint8Array.of(1));
  path.close();
  path.receive(Uint8Array.of(2));
  expect(received).toEqual(['1', 'complete']);
  expect(state.closed).toBe(false);
});
