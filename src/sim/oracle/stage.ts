import { type Endpoint, endpoint, type Family } from '../../core/endpoint.ts';
import type { TransportPacket } from '../nat/session.ts';
import { tcpPacket, udpPacket } from '../packet.ts';
import { Arena } from './arena.ts';
import type { Location } from './topology.ts';

/** One of the two in an arena: where it is, and the socket that it tries to be joined by. */
export interface Side {
  readonly location: Location;
  readonly local: Endpoint;
}

/** A pair, and servers on the internet that both can ask how they are seen. */
export interface Stage {
  readonly arena: Arena;
  readonly a: Side;
  readonly b: Side;
  /** With three addresses, of which the first has two ports. */
  readonly servers: readonly [Endpoint, ...Endpoint[]];
}

/** Sets a pair up anew. `seed`: of the NATs' chance. */
export function setStage(a: Location, b: Location, family: Family, seed: number): Stage {
  const arena = new Arena(seed);
  const side = (location: Location, port: number): Side => ({
    location,
    local: endpoint(arena.attach(location, family), port),
  });
  const [first, second, third] = [0, 1, 2].map(() => arena.attach([], family)) as [string, string, string];
  return {
    arena,
    a: side(a, 40_000),
    b: side(b, 50_000),
    servers: [endpoint(first, 3478), endpoint(first, 3479), endpoint(second, 3478), endpoint(third, 3478)],
  };
}

/** The endpoint that a server sees the side's socket at, if its answer comes back (RFC 8489 section 3). */
export function observe({ arena }: Stage, side: Side, server: Endpoint, protocol: 'udp' | 'tcp'): Endpoint | undefined {
  let seen: Endpoint | undefined;
  let isAnswered = false;
  arena.bind(protocol, server, (request) => {
    seen = request.source;
    arena.send([], answerTo(request));
  });
  arena.bind(protocol, side.local, (answer) => {
    if (answer.protocol === 'udp' || answer.segment.syn) isAnswered = true;
  });
  arena.send(
    side.location,
    protocol === 'udp' ? udpPacket(side.local, server, NOTHING) : tcpPacket(side.local, server, { syn: true }),
  );
  arena.settle();
  return isAnswered ? seen : undefined;
}

function answerTo({ protocol, source, destination }: TransportPacket): TransportPacket {
  return protocol === 'udp'
    ? udpPacket(destination, source, NOTHING)
    : tcpPacket(destination, source, { syn: true, ack: true });
}

const NOTHING = new Uint8Array(0);
