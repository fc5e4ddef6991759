import { type Candidate, candidatePriority, type TcpType } from '../../../src/core/candidate.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgentOptions, type IceEvent } from '../../../src/protocol/ice/index.ts';
import { createIcePump, type IcePump } from '../../../src/streams/ice-pump.ts';
import { createTcpLobby, type TcpLobby } from '../../../src/streams/tcp-lobby.ts';
import { type ManualClock, manualClock } from '../../manual-clock.ts';
import { leftOptions, rightOptions } from '../../protocol/ice/pair-of-agents.ts';
import { type MemoryEnd, MemoryTcp } from './memory-tcp.ts';

export const LEFT = '198.51.100.1';
export const RIGHT = '203.0.113.1';
export const PORT = 7000;

export interface Side {
  readonly pump: IcePump;
  readonly lobby: TcpLobby;
  readonly events: IceEvent[];
  readonly packets: string[];
}

export interface World {
  readonly clock: ManualClock;
  readonly tcp: MemoryTcp;
  /** Controlling; connects. */
  readonly left: Side;
  /** Controlled; is connected to. */
  readonly right: Side;
  /** Moves time on in small steps, so that what was promised meanwhile happens. */
  pass(ms: number): Promise<void>;
}

export function setUp(): World {
  const clock = manualClock();
  const tcp = new MemoryTcp();
  const make = (address: string, options: IceAgentOptions): Side => {
    const lobby = createTcpLobby([tcp.listen(address, PORT)], clock);
    const events: IceEvent[] = [];
    const packets: string[] = [];
    const pump = createIcePump({
      agent: createIceAgent(options),
      clock,
      routers: [],
      tcp: {
        network: tcp.host(address),
        lobby,
        onPacket: (packet, pairId) => packets.push(`${pairId} ${Buffer.from(packet).toString('hex')}`),
      },
      onEvent: (event) => events.push(event),
    });
    return { pump, lobby, events, packets };
  };
  const left = make(LEFT, leftOptions());
  const right = make(RIGHT, rightOptions());
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(Math.min(100, ms - passed));
      await new Promise(setImmediate);
    }
  };
  return { clock, tcp, left, right, pass };
}

export function host(address: string, port: number, tcpType: TcpType): Candidate {
  const at = endpoint(address, port);
  const transport = { transport: 'tcp', tcpType } as const;
  const priority = candidatePriority('host', 65_535, transport);
  return { ...transport, type: 'host', endpoint: at, base: at, priority, foundation: `${address} ${tcpType}` };
}

export const typesOf = ({ events }: Side): string[] => events.map(({ type }) => type);
export const quic = Uint8Array.of(0x40, 1, 2, 3);
export const isOpen = ({ destroyed }: MemoryEnd): boolean => !destroyed;
