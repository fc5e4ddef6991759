import { expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { createDirectPath } from '../../src/streams/direct-path.ts';

function setUp() {
  const sent: string[] = [];
  const state = { takes: true };
  const path = createDirectPath({
    id: 'udp/0/1',
    transport: 'udp',
    send(packet) {
      sent.push(packet.join());
      return state.takes;
    },
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

it('says when a packet was dropped', () => {
  const { path, sent, state } = setUp();
  expect(path.send(Uint8Array.of(1, 2))).toBe(true);
  state.takes = false;
  expect(path.send(Uint8Array.of(3))).toBe(false);
  expect(sent).toEqual(['1,2', '3']);
});

it('closes its datagrams', () => {
  const { path, received } = setUp();
  path.receive(Uint8Array.of(1));
  path.close();
  path.receive(Uint8Array.of(2));
  expect(received).toEqual(['1', 'complete']);
});
