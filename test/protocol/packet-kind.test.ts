import { describe, expect, it } from 'vitest';
import { packetKind } from '../../src/protocol/packet-kind.ts';
import { BINDING, encodeMessage, type StunClass } from '../../src/protocol/stun/index.ts';
import { ALLOCATE } from '../../src/protocol/turn/method.ts';

function stun(stunClass: StunClass, method: number): Uint8Array {
  return encodeMessage({ class: stunClass, method, transactionId: new Uint8Array(12), attributes: [] });
}

describe('what a packet is', () => {
  it.each([
    ['STUN Binding request', stun('request', BINDING), 40_000, 3478],
    ['STUN Binding success', stun('success', BINDING), 3478, 40_000],
    ['TURN Allocate error', stun('error', ALLOCATE), 3478, 40_000],
    ['STUN request', stun('request', 0x7f), 40_000, 3478],
    ['NAT-PMP', Uint8Array.of(0, 0), 40_000, 5351],
    ['PCP', Uint8Array.of(2, 1), 5351, 40_000],
    ['SSDP', Buffer.from('M-SEARCH * HTTP/1.1'), 40_000, 1900],
    ['QUIC Initial', Uint8Array.of(0xc3, 0, 0, 0, 1), 40_000, 40_001],
    ['QUIC Handshake', Uint8Array.of(0xe0), 40_000, 40_001],
    ['QUIC', Uint8Array.of(0x41), 40_000, 40_001],
    ['empty', new Uint8Array(), 40_000, 40_001],
    [undefined, Uint8Array.of(0x3f, 1), 40_000, 40_001],
  ])('%s', (kind, payload, from, to) => {
    expect(packetKind(payload, from, to)).toBe(kind);
  });
});
