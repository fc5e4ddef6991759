import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { type TcpSegment, tcpPacket } from '../packet.ts';
import type { Run } from './checks.ts';
import type { Stage } from './stage.ts';

/**
 * A TCP connection to a side that listens and does nothing for it (RFC 9293 section 3.5, RFC 6544 section 4.5 with an active and
 * a passive candidate): the other side calls the endpoints that it was told.
 */
export function runCalls(stage: Stage, caller: 'a' | 'b', told: readonly Endpoint[]): Run {
  const { arena } = stage;
  const [active, passive] = caller === 'a' ? [stage.a, stage.b] : [stage.b, stage.a];
  const result = { isJoined: false, packets: 0, isHairpinned: false };
  const transmit = (from: typeof active, to: Endpoint, flags: Partial<TcpSegment>): void => {
    result.packets++;
    arena.send(from.location, tcpPacket(from.local, to, flags));
  };
  arena.bind('tcp', active.local, (packet, isHairpinned) => {
    if (packet.protocol !== 'tcp' || !packet.segment.syn || !packet.segment.ack) return;
    if (!told.some((endpoint) => sameEndpoint(endpoint, packet.source))) return;
    result.isHairpinned ||= isHairpinned;
    transmit(active, packet.source, { ack: true });
  });
  arena.bind('tcp', passive.local, (packet) => {
    if (packet.protocol !== 'tcp' || packet.segment.rst) return;
    if (packet.segment.syn) transmit(passive, packet.source, { syn: true, ack: true });
    else result.isJoined = true;
  });
  for (const endpoint of told) transmit(active, endpoint, { syn: true });
  arena.settle();
  return result;
}
